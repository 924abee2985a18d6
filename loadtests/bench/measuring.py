"""Contenders in turn, round after round, so that whatever else the machine does meets them alike."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from harness.servers import free_port
from loadtests.bench.contenders import Contender
from loadtests.bench.processes import Cores, cpu_seconds, resident_megabytes, rest, running
from loadtests.bench.trained import Applicants, Trained
from loadtests.bench.wrk import load

CHECKED = 50
TOLERANCE = 1e-9
WARM_UP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Round:
    """One burst of load on one server."""

    requests_per_second: float
    cpu_microseconds: float
    """Of all the server's processes, a request: until they rest again, so that nothing put off is left out."""
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of one server under one load: medians of its rounds."""

    server: str
    load: str
    rounds: list[Round]
    resident_megabytes: float
    """Of all the server's processes, after the last round."""

    @property
    def requests_per_second(self) -> float:
        return median(it.requests_per_second for it in self.rounds)

    @property
    def cpu_microseconds(self) -> float:
        return median(it.cpu_microseconds for it in self.rounds)

    @property
    def p50_ms(self) -> float:
        return median(it.p50_ms for it in self.rounds)

    @property
    def p99_ms(self) -> float:
        return median(it.p99_ms for it in self.rounds)

    def times(self, other: "Line") -> float:
        """Its throughput as a multiple of another one's in the same round."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return median(own.requests_per_second / its.requests_per_second for own, its in pairs)


@dataclass(frozen=True, slots=True)
class Target:
    """A running server and one of the loads that it gets."""

    contender: Contender
    load: str
    url: str
    pid: int
    bodies: Path

    def burst(self, seconds: float, cores: Cores) -> Round:
        """Some seconds of load."""
        before = cpu_seconds(self.pid)
        found = load(self.url, self.bodies, seconds, cores.generator)
        rest(self.pid)
        cpu = cpu_seconds(self.pid) - before
        return Round(found.requests_per_second, 1e6 * cpu / found.requests, found.p50_ms, found.p99_ms)


def started(contender: Contender, trained: Trained, cores: Cores, running_servers: ExitStack) -> Iterator[Target]:
    """The server, with each of its loads: ready, and found to answer what it should."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    log = trained.folder / f"{contender.name}.log"
    command = contender.command(port)
    server = running(command, contender.environment, cores.server, origin + contender.ready, log)
    pid = running_servers.enter_context(server)
    for name in contender.loads:
        applicants: Applicants = getattr(trained, name)
        bodies = trained.folder / f"{contender.name}, {name}.jsonl"
        bodies.write_text("".join(f"{json.dumps(contender.body(row))}\n" for row in contender.asks(applicants)))
        check(contender, origin + contender.path, applicants)
        yield Target(contender, name, origin + contender.path, pid, bodies)


def check(contender: Contender, url: str, applicants: Applicants) -> None:
    """Raises SystemExit when an answer is not the model's."""
    with httpx.Client(timeout=30) as client:
        pairs = zip(contender.asks(applicants), applicants.probabilities, strict=True)
        for row, probability in list(pairs)[:CHECKED]:
            answer = client.post(url, json=contender.body(row))
            if answer.status_code != httpx.codes.OK:
                raise SystemExit(f"error: {contender.name} answers {answer.status_code}: {answer.text[:500]}")
            if contender.probability and abs(contender.probability(answer.json()) - probability) > TOLERANCE:
                raise SystemExit(f"error: {contender.name} answers {answer.text[:500]}; the model gives {probability}")


def measure(contenders: Sequence[Contender], trained: Trained, cores: Cores, rounds: int, seconds: float) -> list[Line]:
    """All servers wait while one is asked. Raises SystemExit when any answer is no success or not the model's."""
    with ExitStack() as running_servers:
        targets: list[Target] = []
        for contender in contenders:
            say(f"start {contender.name}")
            targets += started(contender, trained, cores, running_servers)
        for target in targets:
            target.burst(WARM_UP_SECONDS, cores)
        found: list[list[Round]] = [[] for _ in targets]
        for number in range(1, rounds + 1):
            for target, its in zip(targets, found, strict=True):
                its.append(target.burst(seconds, cores))
                rate = its[-1].requests_per_second
                say(f"round {number} of {rounds}: {target.contender.name} ({target.load}): {rate:,.0f} requests/s")
        return [
            Line(target.contender.name, target.load, its, resident_megabytes(target.pid))
            for target, its in zip(targets, found, strict=True)
        ]


def say(text: str) -> None:
    """For the person who waits."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
