"""Servers on one core, each with all its processes: started, looked at, ended."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.settings import ROOT
from harness.waiting import wait_until

START_SECONDS = 120.0
STOP_SECONDS = 10.0
REST_SECONDS = 60.0
LOOK_SECONDS = 0.3
IDLE_SHARE = 0.1
"""Of a core: what a server does for itself while nobody asks."""

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cores:
    """One for the servers, another for what asks them."""

    server: int
    generator: int


def two_cores() -> Cores:
    """Raises SystemExit on a machine with one."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("error: two cores are needed, one for the servers and one for the generator")
    return Cores(allowed[0], allowed[1])


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], core: int, ready_url: str, log: Path
) -> Iterator[int]:
    """A server on one core, ready; gives its process id. Ended with all its processes."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def status() -> int:
        if process.poll() is not None:
            raise SystemExit(f"error: {command[0]} ended with {process.returncode}: {log.read_text()[-2000:]}")
        return httpx.get(ready_url).status_code

    try:
        wait_until(status, lambda code: code == httpx.codes.OK, START_SECONDS, ready_url, between_seconds=0.1)
        yield process.pid
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask its whole group to stop, and kill what has not."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    # One that ends meanwhile has no more to tell than its parent has counted.
    with suppress(FileNotFoundError, ProcessLookupError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                found += tree(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a tree, those included that have ended and were waited for."""
    total = 0
    for member in tree(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            # The name in brackets, which may hold anything, is the second field; the times are the 14th to the 17th.
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(value) for value in fields[11:15])
    return total / TICKS_PER_SECOND


def rest(pid: int) -> None:
    """Wait until a tree has done what was left over. Raises AssertionError when it has not after REST_SECONDS."""

    def busy() -> float:
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(LOOK_SECONDS)
        return (cpu_seconds(pid) - before) / (time.monotonic() - began)

    wait_until(busy, lambda share: share < IDLE_SHARE, REST_SECONDS, f"process {pid} at rest")


def resident_megabytes(pid: int) -> float:
    """Memory of a tree. What its processes share counts in each."""
    total = 0
    for member in tree(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            status = Path(f"/proc/{member}/status").read_text()
            total += int(status.partition("VmRSS:")[2].split()[0])
    return total / 1024
