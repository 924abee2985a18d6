"""Real servers of a trained model under load, and what the record holds of what they answered."""

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random

from sqlalchemy import create_engine, text

from app.audit.journal.layout import unshipped_bytes
from app.settings import ROOT
from harness.servers import Server, log_lines, running_server
from harness.waiting import wait_until
from loadtests.payloads import JSON, documented
from scripts.credit import PROGRAM

CLIENTS = 2


@dataclass(slots=True)
class Asked:
    """What clients were told, by the ids of the decisions; failures by their status."""

    ids: list[str] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    """Requests whose connection broke, so that nobody knows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """figures: answered, failed, cut, lost, doubled, what verify found; said: by the scenario, the logs and verify."""

    figures: list[str]
    said: list[str]


@dataclass(slots=True)
class World:
    """One scenario's folder: journal, database and logs. environment: with a registry that holds a trained model."""

    folder: Path
    environment: dict[str, str]
    database_uri: str
    asked: Asked = field(default_factory=Asked)
    logs: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What a scenario has to say beside the figures."""
    outcome: Outcome = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def variables(self) -> dict[str, str]:
        places = {"AUDIT__JOURNAL_DIR": str(self.journal), "DATABASE_URI": self.database_uri}
        return self.environment | places

    @contextmanager
    def server(self, **variables: str) -> Iterator[Server]:
        """One that is ready."""
        log = self.folder / f"server-{len(self.logs)}.log"
        self.logs.append(log)
        with running_server(self.variables | variables, log) as server:
            server.wait_ready()
            yield server

    def credit(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the project with the scenario's settings."""
        environment = self.variables | variables
        command = [PROGRAM, *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    @contextmanager
    def asking(self, *servers: Server) -> Iterator[None]:
        """Clients that ask one of the servers after the other, while the block runs."""
        stop = threading.Event()
        clients = [threading.Thread(target=_ask, args=(servers, self.asked, stop, seed)) for seed in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            stop.set()
            for client in clients:
                client.join()

    def ask(self, server: Server, count: int) -> None:
        """That many decisions more."""
        wanted = len(self.asked.ids) + count
        with self.asking(server):
            wait_until(lambda: len(self.asked.ids), lambda it: it >= wanted)

    def recorded(self) -> Counter[str]:
        """How often the database holds a decision of each id."""
        engine = create_engine(self.database_uri)
        try:
            with engine.connect() as connection:
                rows = connection.execute(text("SELECT id FROM decisions"))
                return Counter(str(row[0]) for row in rows)
        finally:
            engine.dispose()

    def ship_all(self) -> None:
        """Bring what is left in the journal to the database, by a server that nobody asks."""
        with self.server() as last:
            wait_until(lambda: unshipped_bytes(self.journal), lambda it: it == 0, what="an empty journal")
            last.process.terminate()
            last.process.wait()

    def run(self, scenario: "Callable[[World], None]") -> None:
        """Let it happen, then bring all to the database and count."""
        scenario(self)
        self.ship_all()
        kept = self.recorded()
        done = self.credit("audit", "verify")
        lines = (done.stdout + done.stderr).strip().splitlines()
        figures = [
            f"{len(self.asked.ids):,}",
            ", ".join(f"{count} x {status}" for status, count in self.asked.failed.items()) or "0",
            f"{self.asked.cut:,}",
            f"{len(set(self.asked.ids) - set(kept)):,}",
            f"{sum(count > 1 for count in kept.values()):,}",
            "OK" if done.returncode == 0 else "BAD",
        ]
        said = [] if done.returncode == 0 else [f"verify: {line}" for line in lines]
        self.outcome = Outcome(figures, [*self.remarks, *self._logged(), *said])

    def _logged(self) -> list[str]:
        """Each warning and error of the servers, once."""
        lines = [it for log in self.logs for it in log_lines(log) if it.get("level") in ("WARNING", "ERROR")]
        return [*dict.fromkeys(f"{it['level']} {it['message']} {it.get('reason', '')}" for it in lines)]


def _ask(servers: tuple[Server, ...], asked: Asked, stop: threading.Event, seed: int) -> None:
    body, random = documented()[0].body, Random(seed)
    while not stop.is_set():
        connection = HTTPConnection("127.0.0.1", random.choice(servers).port, timeout=30)
        try:
            for _ in range(20):
                connection.request("POST", "/predict", body, {"Content-Type": JSON})
                answer = connection.getresponse()
                told = json.loads(answer.read())
                if answer.status != 200:
                    asked.failed[str(answer.status)] += 1
                    stop.wait(0.05)
                elif told["decision_id"] is not None:
                    asked.ids.append(told["decision_id"])
        except (OSError, HTTPException, ValueError):
            asked.cut += 1
            stop.wait(0.05)
        finally:
            connection.close()
