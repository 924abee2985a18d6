"""The real processes on one machine: training into a registry of its own, and servers of what it holds."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.settings import ROOT, WELL_KNOWN
from harness.servers import Server, running_server
from harness.waiting import PATIENCE_SECONDS
from scripts.credit import PROGRAM


@dataclass(frozen=True, slots=True)
class Store:
    """A registry in a folder, with the model cache of one machine."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        bare = {name: value for name, value in os.environ.items() if name not in WELL_KNOWN}
        return bare | {
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder / 'mlflow.db'}",
            "SERVING__CACHE_DIR": str(self.folder / "models"),
            "AUDIT__JOURNAL_DIR": str(self.folder / "journal"),
            "DATABASE_URI": f"sqlite:///{self.folder / 'decisions.db'}",
            "SERVING__PULL_TIMEOUT_SECONDS": str(PATIENCE_SECONDS),
        }

    def train(self, data: str = "") -> subprocess.CompletedProcess[str]:
        command = [PROGRAM, "train"]
        environment = self.environment | {"DATA": data}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def copy(self, folder: Path) -> "Store":
        """The same registry elsewhere; its artifacts stay where they were registered."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Store(folder)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, subprocess.CompletedProcess[str]]:
    """A store with one model in production, trained on the sample, and how that training ended."""
    store = Store(tmp_path_factory.mktemp("store"))
    return store, store.train()


@pytest.fixture
def store(trained: tuple[Store, object], tmp_path: Path) -> Store:
    """A copy of the trained store, for a test to do with as it likes."""
    return trained[0].copy(tmp_path / "store")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers of a store, and ends them after the test."""
    with ExitStack() as running:

        def start(store: Store, **variables: str) -> Server:
            log = tmp_path / f"server-{len(list(tmp_path.glob('server-*')))}.log"
            return running.enter_context(running_server(store.environment | variables, log))

        yield start
