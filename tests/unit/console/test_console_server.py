"""The console starts where people may use it, also in a container whose user has no name, and nowhere else."""

import getpass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from app.callers.known import digest_of
from app.console import console_server
from app.errors import SettingInvalid

STARTED: list[Any] = []


@pytest.fixture(autouse=True)
def _prepared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nameless() -> str:
        raise OSError("No username set in the environment")

    STARTED.clear()
    (tmp_path / "record.db").touch()
    monkeypatch.setenv("DATABASE_URI", f"sqlite:///{tmp_path / 'record.db'}")
    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.setattr("app.user.getuser", nameless)
    monkeypatch.setattr(uvicorn, "run", lambda app, **given: STARTED.append(given["host"]))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_without_keys_it_is_for_this_machine(host: str) -> None:
    console_server.serve_console(host, 8080)
    assert STARTED == [host]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "console.example.com"])
def test_without_keys_it_is_shown_to_nobody_else(host: str) -> None:
    with pytest.raises(SettingInvalid, match=r"name the API keys in callers\.file"):
        console_server.serve_console(host, 8080)
    assert STARTED == []


def test_with_keys_it_listens_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "callers.yaml").write_text(f"- {{name: officer, sha256: {digest_of(b'x').hex()}, scopes: [read]}}\n")
    monkeypatch.setenv("CALLERS__FILE", str(tmp_path / "callers.yaml"))
    console_server.serve_console("0.0.0.0", 8080)
    assert STARTED == ["0.0.0.0"]
