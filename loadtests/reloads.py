"""`python -m loadtests.reloads [DATA]`: what following costs the answers of a real server with a real registry.

Four figures, each a ratio or a difference within one run: p99 while models are fetched and swapped against p99 of the
quiet in between, wall and CPU time of a swap by document against one by a child's pull, memory before and after many
swaps, throughput and p99 with a challenger against without.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from app.models.cache import ModelCache
from app.models.pointer import DOCUMENT, DOCUMENT_DIGEST
from app.registry.client import connect
from app.settings import MlflowSettings, ServingSettings, Settings, TrainSettings, load_settings
from app.training.data import load
from app.training.fit import fit_candidate
from harness.registries import NAME, Registry, log_model, running_registry
from harness.servers import Server, audit_in, environment_of, running_server
from harness.waiting import wait_until
from loadtests.payloads import JSON, documented

CONNECTIONS = 2
PAUSE_SECONDS = 0.008
"""Between two requests of a connection when the rate is to be steady: some 200 a second in all."""
QUIET_SECONDS = 6.0
PULLS = 6
POLL_SECONDS = 0.5
ROUNDS = 5
ROUND_SECONDS = 6.0
SWAPS = 50
SECONDS = 120.0


def percentile_ms(latencies: list[float], share: float = 0.99) -> float:
    """Milliseconds."""
    return 1000 * sorted(latencies)[int(share * (len(latencies) - 1))]


@contextmanager
def load_of(server: Server, pause_seconds: float) -> Iterator[list[tuple[float, float]]]:
    """(when sent, how long it took) of every request while the block runs; pause_seconds after each answer."""
    body, sent, stop = documented()[0].body, list[tuple[float, float]](), threading.Event()
    failed: list[str] = []

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
        while not stop.is_set():
            started = time.perf_counter()
            connection.request("POST", "/predict", body, {"Content-Type": JSON})
            answer = connection.getresponse()
            text = answer.read()
            sent.append((started, time.perf_counter() - started))
            if answer.status != 200:
                failed.append(text.decode())
            if pause_seconds:
                stop.wait(pause_seconds)

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    try:
        yield sent
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failed:
        raise SystemExit(f"error: {len(failed)} requests failed: {failed[0]}")


class World:
    """Two versions of a model in a registry, and a server that follows its alias."""

    def __init__(self, registry: Registry, server: Server, settings: Settings) -> None:
        self.server = server
        self._settings = settings
        self._client = connect(registry.settings)
        found = {it: self._client.get_model_version(NAME, it).tags for it in ("1", "2")}
        self._documents = {it: {tag: tags[tag] for tag in (DOCUMENT, DOCUMENT_DIGEST)} for it, tags in found.items()}

    def let(self, alias: str, version: str | None) -> None:
        if version is None:
            self._client.delete_registered_model_alias(NAME, alias)
        else:
            self._client.set_registered_model_alias(NAME, alias, version)

    def wait(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        wait_until(self._meta, holds, SECONDS, "the server to follow", between_seconds=0.1)

    def _meta(self) -> dict[str, Any]:
        # A client of httpx's takes 10 ms to make, in which the threads of the load would stand still.
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        connection.request("GET", "/meta")
        found: dict[str, Any] = json.load(connection.getresponse())
        connection.close()
        return found

    def serve(self, version: str) -> None:
        """Until it does."""
        self.let("production", version)
        self.wait(partial(_serves, version))

    def forget(self, version: str) -> None:
        """Let the next move to that version be a fetch of its document, or a pull where it has none."""
        for entry in ModelCache(self._settings.serving.cache_dir).versions(NAME, version):
            shutil.rmtree(entry)

    def documented(self, version: str, given: bool) -> None:
        """Take the version's document away from whoever looks at its tags, or give it back."""
        for tag, value in self._documents[version].items():
            if given:
                self._client.set_model_version_tag(NAME, version, tag, value)
            else:
                self._client.delete_model_version_tag(NAME, version, tag)

    def cpu_seconds(self) -> float:
        """Of the server and of the children that it has waited for."""
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def reloads_against_quiet(world: World) -> dict[str, Any]:
    """p99 while a model is fetched, loaded and swapped in, against p99 of as much quiet time."""
    windows: list[tuple[str, float, float]] = []
    with load_of(world.server, PAUSE_SECONDS) as sent:
        for turn in range(PULLS):
            version = str(2 - turn % 2)
            started = time.perf_counter()
            threading.Event().wait(QUIET_SECONDS)
            quiet_ends = time.perf_counter()
            world.forget(version)
            world.let("production", version)
            # From here: telling the registry is work of this process, which the load would wait for.
            moved = time.perf_counter()
            world.wait(partial(_serves, version))
            windows += [("quiet", started, quiet_ends), ("reload", moved, time.perf_counter())]
    found = {
        kind: [took for at, took in sent for name, low, high in windows if name == kind and low <= at < high]
        for kind in ("quiet", "reload")
    }
    quiet, reload = percentile_ms(found["quiet"]), percentile_ms(found["reload"])
    seconds = sum(high - low for name, low, high in windows if name == "reload") / PULLS
    return {
        "pulls": PULLS,
        "seconds_from_alias_to_served": round(seconds, 2),
        "requests": len(sent),
        "quiet_p99_ms": round(quiet, 2),
        "reload_p99_ms": round(reload, 2),
        "p99_ratio": round(reload / quiet, 2),
        "p50_ratio": round(percentile_ms(found["reload"], 0.5) / percentile_ms(found["quiet"], 0.5), 2),
    }


def document_against_pull(world: World) -> dict[str, Any]:
    """Seconds of wall and of CPU from the alias moved to the other version served, in turns, each the median."""
    spent: dict[str, list[tuple[float, float]]] = {"document": [], "pull": []}
    for turn in range(2 * ROUNDS):
        way, version = ("document", "pull")[turn % 2], str(2 - turn // 2 % 2)
        world.serve("1" if version == "2" else "2")
        world.documented(version, way == "document")
        world.forget(version)
        wall, cpu = time.perf_counter(), world.cpu_seconds()
        world.serve(version)
        spent[way].append((time.perf_counter() - wall, world.cpu_seconds() - cpu))
        world.documented(version, True)
    return {
        way: {"wall_seconds": round(median(walls), 2), "cpu_seconds": round(median(cpus), 2)}
        for way, (walls, cpus) in ((way, zip(*found, strict=True)) for way, found in spent.items())
    } | {"swaps_each": ROUNDS, "poll_seconds": POLL_SECONDS}


def memory_over_swaps(world: World) -> dict[str, Any]:
    """Megabytes before and after; both versions have served before."""
    for version in ("1", "2", "1", "2"):
        world.serve(version)
    before = world.megabytes()
    for swap in range(SWAPS):
        world.serve(str(1 + swap % 2))
    return {"swaps": SWAPS, "before_mb": round(before, 1), "after_mb": round(world.megabytes(), 1)}


def _serves(version: str, meta: dict[str, Any]) -> bool:
    return bool(meta["model_version"] == version and not meta["stale"])


def _challenged_by(version: str | None, meta: dict[str, Any]) -> bool:
    return bool(meta["challenger"]["model_version"] == version)


def challenger_against_none(world: World) -> dict[str, Any]:
    """Throughput and p99 of connections that never pause, in turns with and without a challenger."""
    world.serve("1")
    latencies: dict[bool, list[float]] = {True: [], False: []}
    ratios: list[float] = []
    named: str | None = None
    for turn in range(ROUNDS):
        counts = {}
        for challenged in (turn % 2 == 0, turn % 2 == 1):
            if named != (wanted := "2" if challenged else None):
                world.let("challenger", wanted)
                named = wanted
            world.wait(partial(_challenged_by, wanted))
            with load_of(world.server, 0) as sent:
                threading.Event().wait(ROUND_SECONDS)
            latencies[challenged] += [took for _, took in sent]
            counts[challenged] = len(sent)
        ratios.append(counts[True] / counts[False])
    total = {kind: len(found) / (ROUNDS * ROUND_SECONDS) for kind, found in latencies.items()}
    p99 = {kind: percentile_ms(found) for kind, found in latencies.items()}
    return {
        "requests_per_second": round(total[False], 1),
        "with_challenger": round(total[True], 1),
        "throughput_ratio": round(total[True] / total[False], 3),
        "throughput_ratio_by_round": [round(it, 2) for it in ratios],
        "p99_ms": round(p99[False], 2),
        "with_challenger_p99_ms": round(p99[True], 2),
        "p99_ratio": round(p99[True] / p99[False], 2),
    }


def register(registry: Registry, train: TrainSettings) -> None:
    """Two models of one kind that differ in their seed."""
    dataset = load(Settings(train=train))
    for seed in (1, 2):
        log_model(registry.settings, fit_candidate(dataset, seed), dataset.contract.factor_names)


MEASURED = {
    "reloads": reloads_against_quiet,
    "document": document_against_pull,
    "memory": memory_over_swaps,
    "challenger": challenger_against_none,
}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.reloads", description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="path or s3:// address of the rows to train on")
    parser.add_argument("--only", choices=MEASURED, help="one of the figures")
    options = parser.parse_args()
    train = load_settings().train
    train = train.model_copy(update={"data": options.data or train.data})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_registry(folder) as registry:
            register(registry, train)
            connect(registry.settings).set_registered_model_alias(NAME, "production", "1")
            serving = ServingSettings(
                cache_dir=folder / "cache", poll_seconds=POLL_SECONDS, pull_timeout_seconds=SECONDS
            )
            settings = Settings(
                mlflow=MlflowSettings(tracking_uri=registry.url), serving=serving, audit=audit_in(folder)
            )
            with running_server(environment_of(settings), folder / "server.log") as server:
                world = World(registry, server, settings)
                world.serve("1")
                for what, measured in MEASURED.items():
                    if options.only in (None, what):
                        sys.stdout.write(f"{what}: {json.dumps(measured(world), indent=2)}\n")
                        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
