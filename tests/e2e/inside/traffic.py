"""Runs in a pod: decisions asked of URL at a steady rate until stdin ends, then what became of each as a JSON object.

Half of the callers open a connection for each request, the other half keep theirs. Nobody tries again: a request
without an answer has failed. The word "started" on a line of its own comes before the first of them.
"""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, field

import httpx

CALLERS = 8
"""Of each kind."""
BODY = {"data": {"features": [0, 0.31, 52, 0, 0.36, 5400, 8, 0, 1, 0, 1]}}
TIMEOUT_SECONDS = 10.0


@dataclass(slots=True)
class Tally:
    """What became of the requests of one kind of caller."""

    answered: int = 0
    slowest_seconds: float = 0.0
    failed: list[str] = field(default_factory=list)
    served: list[tuple[str, float]] = field(default_factory=list)
    """Each version with each probability that it gave; one each unless answers were mixed."""
    decisions: list[str] = field(default_factory=list)
    """Id of each decision that was answered."""


async def caller(url: str, kept: bool, interval_seconds: float, end: asyncio.Event, tally: Tally) -> None:
    """Ask every so often until the end."""
    clock = asyncio.get_running_loop().time
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1 if kept else 0)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT_SECONDS) as client:
        due = clock()
        while not end.is_set():
            started = clock()
            try:
                answer = await client.post("/predict", json=BODY)
                if answer.status_code == 200:
                    tally.answered += 1
                    told = answer.json()
                    tally.decisions.append(told["decision_id"])
                    if (served := (told["model_version"], told["probability"])) not in tally.served:
                        tally.served.append(served)
                else:
                    tally.failed.append(f"{answer.status_code} {answer.text}")
            except httpx.TransportError as error:
                tally.failed.append(repr(error))
            tally.slowest_seconds = max(tally.slowest_seconds, clock() - started)
            due = max(due + interval_seconds, clock())
            await pause(end, due - clock())


async def pause(end: asyncio.Event, seconds: float) -> None:
    """Until the event comes or the time has passed."""
    with suppress(TimeoutError):
        await asyncio.wait_for(end.wait(), seconds)


async def main(url: str, requests_per_second: float) -> dict[str, Tally]:
    """Run every caller until stdin ends."""
    end = asyncio.Event()
    tallies = {"fresh": Tally(), "kept": Tally()}
    interval_seconds = 2 * CALLERS / requests_per_second
    print("started", flush=True)  # noqa: T201 - the test waits for it
    async with asyncio.TaskGroup() as group:
        for kind, tally in tallies.items():
            for _ in range(CALLERS):
                group.create_task(caller(url, kind == "kept", interval_seconds, end, tally))
        await asyncio.to_thread(sys.stdin.read)
        end.set()
    return tallies


if __name__ == "__main__":
    found = asyncio.run(main(sys.argv[1], float(sys.argv[2])))
    json.dump({kind: asdict(tally) for kind, tally in found.items()}, sys.stdout)
