"""The real server as a process of its own, on a free port of this machine."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.settings import ROOT, AuditSettings, Settings
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.credit import PROGRAM


@dataclass(frozen=True, slots=True)
class Server:
    """A server that accepts connections."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def wait_ready(self) -> httpx.Response:
        """Until a model is loaded."""
        return wait_until(
            lambda: httpx.get(f"{self.url}/readyz", timeout=PATIENCE_SECONDS), lambda it: it.status_code == 200
        )


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment in which a process finds these settings."""
    return {
        **os.environ,
        "MODEL_URI": settings.mlflow.model_uri,
        "MLFLOW_TRACKING_URI": settings.mlflow.tracking_uri,
        "SERVING__CACHE_DIR": str(settings.serving.cache_dir),
        "SERVING__POLL_SECONDS": str(settings.serving.poll_seconds),
        "SERVING__PULL_TIMEOUT_SECONDS": str(settings.serving.pull_timeout_seconds),
        "AUDIT__JOURNAL_DIR": str(settings.audit.journal_dir),
        "DATABASE_URI": settings.audit.database_uri,
    }


@contextmanager
def running_server(environment: Mapping[str, str], log: Path, program: str | Path = PROGRAM) -> Iterator[Server]:
    """`credit serve` with its log in a file; killed at the end unless it has ended before."""
    command = [str(program), "serve", "--port", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Server(process, wait_until(lambda: _url(log), bool), log)
    finally:
        process.kill()
        process.wait()


def _url(log: Path) -> str:
    text = log.read_text()
    found = re.search(r"running on (https?://127\.0\.0\.1:[0-9]+)", text)
    if found is None:
        raise AssertionError(text[-2000:])
    return found[1]


def log_lines(log: Path) -> list[dict[str, object]]:
    """Every line of a log, each of which has to be a JSON object."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def audit_in(folder: Path, **audit: Any) -> AuditSettings:
    """Journal and database in that folder."""
    places = {"journal_dir": folder / "journal", "database_uri": f"sqlite:///{folder / 'decisions.db'}"}
    return AuditSettings(**(places | audit))
