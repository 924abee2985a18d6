"""A registry that wants credentials: whoever has them is served, whoever has not is told which variables to set."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.errors import ModelForbidden
from app.models.pointer import Pointer
from app.registry.aliases import versions
from app.registry.client import connect
from app.serving.live.alias_reader import AliasReader
from app.settings import ROOT, MlflowSettings, load_settings
from harness.registries import NAME, Registry, running_registry
from scripts.credit import PROGRAM

USER, PASSWORD = "admin", "a password of twelve or more"
VARIABLES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A server that asks for a password, with one version in it."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "auth.ini").write_text(
        "[mlflow]\ndefault_permission = READ\n"
        f"database_uri = sqlite:///{folder / 'auth.db'}\n"
        f"admin_username = {USER}\nadmin_password = {PASSWORD}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    environment = {"MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"), "MLFLOW_FLASK_SERVER_SECRET_KEY": "of a test"}
    with (
        pytest.MonkeyPatch.context() as patch,
        running_registry(folder, ["--app-name", "basic-auth"], environment) as registry,
    ):
        patch.setenv(VARIABLES[0], USER)
        patch.setenv(VARIABLES[1], PASSWORD)
        assert registry.add(20) == "1"
        registry.let("production", "1")
        yield registry


@pytest.fixture(autouse=True)
def _nobody(guarded: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def read(settings: MlflowSettings) -> Pointer:
    async def ask() -> Pointer:
        reader = AliasReader(settings, NAME, "production")
        try:
            return await reader.read()
        finally:
            await reader.close()

    return asyncio.run(ask())


def pull(registry: Registry, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As the server pulls."""
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": registry.url,
        "SERVING__CACHE_DIR": str(folder / "cache"),
        **variables,
    }
    command = [PROGRAM, "registry", "pull", f"models:/{NAME}@production"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_alias_is_read_with_the_variables_that_mlflows_client_knows(
    guarded: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", guarded.url)
    with pytest.raises(ModelForbidden, match=r"set MLFLOW_TRACKING_USERNAME .* \(status 401\)"):
        read(load_settings().mlflow)
    monkeypatch.setenv(VARIABLES[0], USER)
    monkeypatch.setenv(VARIABLES[1], PASSWORD)
    assert read(load_settings().mlflow).version == "1"


def test_a_password_that_is_wrong_is_told(guarded: Registry) -> None:
    with pytest.raises(ModelForbidden, match="refuses these credentials"):
        read(MlflowSettings(tracking_uri=guarded.url, username=USER, password=SecretStr("wrong")))


def test_mlflows_client_has_the_credentials_of_the_settings(guarded: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = guarded.settings
    with pytest.raises(ModelForbidden, match="MLFLOW_TRACKING_USERNAME"):
        versions(settings)
    mlflow = settings.mlflow.model_copy(update={"username": USER, "password": SecretStr(PASSWORD)})
    for variable in VARIABLES[:2]:
        monkeypatch.setenv(variable, "")  # put back at the end: the client takes them from there
    assert [it.version for it in versions(settings.model_copy(update={"mlflow": mlflow}))] == ["1"]
    assert connect(settings).get_model_version(NAME, "1").version == "1"


def test_a_pull_has_them_too_and_says_in_one_sentence_that_they_are_missing(guarded: Registry, tmp_path: Path) -> None:
    refused = pull(guarded, tmp_path)
    assert refused.returncode == 3
    assert "set MLFLOW_TRACKING_USERNAME" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr
    ended = pull(guarded, tmp_path, **{VARIABLES[0]: USER, VARIABLES[1]: PASSWORD})
    assert ended.returncode == 0, ended.stderr
