"""The objective of a load test, and what a run says to it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Objective:
    """The most errors of all requests, and the slowest 95th percentile of single decisions."""

    max_error_ratio: float
    max_p95_ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run measured: percentiles of POST /predict, None when none was answered, and the rest of all requests."""

    requests: int
    errors: int
    requests_per_second: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None

    @property
    def error_ratio(self) -> float:
        return self.errors / self.requests if self.requests else 0.0


def missed(figures: Figures, objective: Objective) -> list[str]:
    """What of the objective the run missed, a sentence each."""
    if figures.p95_ms is None:
        return ["no decision was measured"]
    found = []
    if figures.error_ratio > objective.max_error_ratio:
        found.append(f"{figures.error_ratio:.3%} of the requests failed; {objective.max_error_ratio:.3%} may")
    if figures.p95_ms > objective.max_p95_ms:
        found.append(f"the p95 of POST /predict is {figures.p95_ms:g} ms; it may be {objective.max_p95_ms:g} ms")
    return found


def summary(figures: Figures, objective: Objective) -> str:
    """The figures, and the verdict."""
    percentiles = (figures.p50_ms, figures.p95_ms, figures.p99_ms)
    shown = "/".join("-" if value is None else f"{value:g}" for value in percentiles)
    reasons = missed(figures, objective)
    return "\n".join(
        [
            f"requests            {figures.requests} ({figures.requests_per_second:.1f} a second)",
            f"p50/p95/p99         {shown} ms of POST /predict",
            f"errors              {figures.errors} ({figures.error_ratio:.3%})",
            *(f"objective missed    {reason}" for reason in reasons),
            *([] if reasons else ["objective met"]),
        ]
    )
