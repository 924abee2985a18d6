"""One version, in every place where it has to be said."""

import re
import shutil
from argparse import ArgumentTypeError
from pathlib import Path

import pytest
import yaml

from app import __version__
from app.settings import ROOT
from scripts.version import places, semantic, set_version

OURS = "credit-default-"


def images(value: object) -> list[dict[str, str]]:
    """Every image among the values that this project builds."""
    if not isinstance(value, dict):
        return []
    found = [value] if str(value.get("repository", "")).startswith(OURS) else []
    return found + [image for below in value.values() for image in images(below)]


def test_every_place_says_the_version_of_the_source() -> None:
    said = {f"{file.relative_to(ROOT)}: {found[0]}": found[1] for file, _, found in places(ROOT)}
    assert {place: version for place, version in said.items() if version != __version__} == {}
    assert len(said) == 6 + len(list(ROOT.glob("charts/*/Chart.yaml")))


@pytest.mark.parametrize("chart", sorted(ROOT.glob("charts/*/values.yaml")), ids=lambda it: it.parent.name)
def test_every_image_of_this_project_is_of_this_version(chart: Path) -> None:
    default = yaml.safe_load((chart.parent / "Chart.yaml").read_text()).get("appVersion")
    for image in images(yaml.safe_load(chart.read_text())):
        assert (image["tag"] or default) == __version__


def test_one_command_sets_it_everywhere(tmp_path: Path) -> None:
    for file in {file for file, _, _ in places(ROOT)}:
        (tmp_path / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tmp_path / file.relative_to(ROOT))
    set_version(tmp_path, "7.8.9-rc.1")
    assert {found[1] for _, _, found in places(tmp_path)} == {"7.8.9-rc.1"}
    changed = sum(
        a != b
        for file in tmp_path.rglob("*.*")
        for a, b in zip(
            file.read_text().splitlines(), (ROOT / file.relative_to(tmp_path)).read_text().splitlines(), strict=True
        )
    )
    assert changed == len(list(places(ROOT)))


def test_a_place_that_is_not_there_any_more_is_told(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text('version = "1.2.3"\n')
    with pytest.raises(SystemExit, match=re.escape("app/__init__.py has no line")):
        set_version(tmp_path, "1.2.4")


@pytest.mark.parametrize("text", ["", "v1.2.3", "1.2", "1.2.3 "])
def test_what_helm_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="no version such as"):
        semantic(text)
