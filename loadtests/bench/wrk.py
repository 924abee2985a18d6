"""The generator: wrk on a core of its own, and what it measured."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CYCLE = Path(__file__).with_name("cycle.lua")
CONNECTIONS = 16
MARGIN_SECONDS = 30.0
"""Beyond the time that it was given, for a server that hardly answers."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What some seconds of load gave."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.seconds


def require_wrk() -> None:
    """Raises SystemExit where there is none."""
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            raise SystemExit(f"error: {program} is not on PATH; install the package {package} of your distribution")


def load(url: str, bodies: Path, seconds: float, core: int, connections: int = CONNECTIONS) -> Burst:
    """POST the lines of a file for some seconds, each connection the next one when it has its answer.

    Raises SystemExit when any answer was no success.
    """
    command = ["taskset", "--cpu-list", str(core), "wrk", "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{seconds:g}s", "--timeout", "10s", "--script", str(CYCLE), url, "--", str(bodies)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=seconds + MARGIN_SECONDS, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        raise SystemExit(f"error: wrk ended with exit code {done.returncode}: {done.stderr.strip()}")
    return burst(done.stdout, url)


def burst(output: str, url: str) -> Burst:
    """From what wrk printed, whose last line is cycle.lua's. Raises SystemExit when any answer was no success."""
    told = json.loads(output.splitlines()[-1])
    if told["refused"] or told["broken"] or not told["requests"]:
        raise SystemExit(
            f"error: {url}: of {told['requests']} requests {told['refused']} were answered with an error, "
            f"and {told['broken']} connections broke or waited too long"
        )
    return Burst(
        requests=told["requests"],
        seconds=told["microseconds"] / 1e6,
        p50_ms=told["p50_microseconds"] / 1e3,
        p99_ms=told["p99_microseconds"] / 1e3,
    )
