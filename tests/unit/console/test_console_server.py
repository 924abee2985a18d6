"""The console starts where people may use it, also in a container whose user has no name, and nowhere else."""

import getpass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.callers.known import digest_of
from app.console import console_server
from app.errors import SettingInvalid

STARTED: list[Any] = []


@pytest.fixture(autouse=True)
def _prepared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nameless() -> str:
        raise OSError("No username set in the environment")

    STARTED.clear()
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


def test_a_record_that_nothing_was_written_to_yet_is_empty(tmp_path: Path) -> None:
    console_server.serve_console("127.0.0.1", 8080)
    assert Store(open_engine(f"sqlite:///{tmp_path / 'record.db'}")).count(None, None) == 0


def test_a_provider_signs_people_in_anywhere_but_not_beside_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    at_provider = {"ISSUER": "https://login.lender.example", "CLIENT_ID": "console", "URL": "https://console"}
    for name, value in at_provider.items():
        monkeypatch.setenv(f"CONSOLE__OPENID__{name}", value)
    console_server.serve_console("0.0.0.0", 8080)
    assert STARTED == ["0.0.0.0"]
    monkeypatch.setenv("CONSOLE__USER_HEADER", "X-Forwarded-Email")
    with pytest.raises(SettingInvalid, match="are two ways to sign in"):
        console_server.serve_console("0.0.0.0", 8080)
