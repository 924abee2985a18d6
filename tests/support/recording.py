"""Servers that only answer and keep: their model in the cache, no registry and no database within reach."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.settings import Settings
from harness.servers import Server, audit_in, environment_of
from tests.support.fakes import cached_model, constant_document, json_file, settings_for

DEAD = "http://127.0.0.1:9"
AWAY = "postgresql+psycopg2://credit@127.0.0.1:9/credit"
"""Nothing leaves the journal while nobody answers there."""

REQUEST = json_file("request.json")
BATCH = {"data": {"rows": [REQUEST["data"]["features"]] * 40}}


@dataclass(slots=True)
class Answers:
    """ids: of each decision that was answered with 200, None where it was not kept; failed: anything else."""

    ids: list[str | None] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, answer: httpx.Response) -> None:
        with self.lock:
            if answer.status_code == 200:
                told = answer.json()
                self.ids += [it["decision_id"] for it in told.get("predictions", [told])]
            else:
                self.failed.append(f"{answer.status_code} {answer.text}")


def settings_of(folder: Path, **audit: Any) -> Settings:
    """Of a server with its model in the cache, and nothing else within reach."""
    settings = settings_for(folder, tracking_uri=DEAD)
    cached_model(settings, constant_document(0.3))
    return settings.model_copy(update={"audit": audit_in(folder, database_uri=AWAY, **audit)})


def variables(settings: Settings) -> dict[str, str]:
    audit = settings.audit
    return environment_of(settings) | {
        "AUDIT__DURABILITY": audit.durability,
        "AUDIT__ON_FAILURE": audit.on_failure,
        "AUDIT__JOURNAL_MEGABYTES": str(audit.journal_megabytes),
    }


def ask(server: Server, answers: Answers, stop: threading.Event) -> None:
    """Single decisions and batches in turn, until told to stop or the server is gone."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        while not stop.is_set():
            try:
                answers.take(client.post("/predict", json=REQUEST))
                answers.take(client.post("/predict/batch", json=BATCH))
            except httpx.TransportError:
                return


@contextmanager
def asking(server: Server, answers: Answers) -> Iterator[None]:
    """Three clients, while the block runs."""
    stop = threading.Event()
    with ThreadPoolExecutor(3) as clients:
        running = [clients.submit(ask, server, answers, stop) for _ in range(3)]
        try:
            yield
        finally:
            stop.set()
    for client in running:
        client.result()
