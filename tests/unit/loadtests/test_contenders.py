"""Whoever else is measured holds the model with the library that fitted it."""

from importlib.metadata import version
from pathlib import Path

import pytest

from loadtests.bench.environments import REQUIREMENTS, NotInstalled, programs_of

PEERS = ("bentoml", "kserve", "mlserver")


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_reads_the_model_with_the_same_scikit_learn(peer: str) -> None:
    lines = (REQUIREMENTS / f"{peer}.txt").read_text().splitlines()
    assert f"scikit-learn=={version('scikit-learn')}" in lines
    assert all("==" in line for line in lines)


def test_what_cannot_be_installed_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("loadtests.bench.environments.FOLDER", tmp_path)
    monkeypatch.setattr("loadtests.bench.environments.REQUIREMENTS", tmp_path)
    (tmp_path / "impossible.txt").write_text("./no-such-folder\n")
    with pytest.raises(NotInstalled, match="no-such-folder"):
        programs_of("impossible")
