"""A steady load from within the cluster, and how many of its requests failed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.e2e.pods import Inside

SERVICE = "http://api:8000"
REQUESTS_PER_SECOND = 100.0
"""Little enough that the autoscaler leaves two pods alone."""


@dataclass(slots=True)
class Load:
    """Requests by kind of connection; complete when the load has ended."""

    answered: dict[str, int] = field(default_factory=dict)
    slowest_seconds: float = 0.0
    failed: list[str] = field(default_factory=list)
    served: set[tuple[str, float]] = field(default_factory=set)
    """Each version with each probability that it gave the one applicant."""
    decisions: list[str] = field(default_factory=list)
    """Id of each decision that was answered."""

    def __str__(self) -> str:
        kinds = " and ".join(f"{count} on {kind} connections" for kind, count in self.answered.items())
        return f"{len(self.failed)} failed, {kinds} answered, slowest {self.slowest_seconds:.2f} s"


@contextmanager
def steady_load(pod: Inside, service: str = SERVICE) -> Iterator[Load]:
    """Load on a Service while the block runs."""
    load = Load()
    with pod.start("traffic", service, str(REQUESTS_PER_SECOND)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        try:
            yield load
        finally:
            output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, f"the load ended with {process.returncode}: {errors}"
    for kind, tally in json.loads(output).items():
        load.answered[kind] = tally["answered"]
        load.slowest_seconds = max(load.slowest_seconds, tally["slowest_seconds"])
        load.served |= {(version, probability) for version, probability in tally["served"]}
        load.decisions += tally["decisions"]
        load.failed += [f"{kind}: {failure}" for failure in tally["failed"]]
