"""The latest kept report of outcomes and what waits for people, as Prometheus has it."""

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from app.audit.store.repository import Store
from app.audit.store.review_rows import count_waiting
from app.reports.kept_reports import OUTCOMES, latest_report
from app.reports.outcome_tables import OutcomeReport
from app.reports.watched import Watched
from app.times import microseconds

SHARES = {
    "bad_rate": "Share of the accepted who did not pay, of the latest months whose outcomes are known.",
    "roc_auc": "ROC AUC among the accepted of those months.",
}
EXPECTED = {
    "expected_bad_rate": ("Mean probability of those whose outcome is known.", attrgetter("expected_bad_rate")),
    "expected_roc_auc": ("ROC AUC among them if the probabilities are right.", attrgetter("expected_auc")),
}
ENDS = ("low", "high")
"""Of an interval of three standard errors on either side."""


class OutcomeMetrics:
    """Reads the record at each scrape."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What waits for people, and the report where one is kept. Raises RecordUnavailable, RecordInvalid."""
        yield from waiting_families(*count_waiting(self._store))
        latest = latest_report(self._store, OUTCOMES)
        if latest is not None:
            yield from families(*latest)


def waiting_families(count: int, oldest: int | None) -> Iterator[GaugeMetricFamily]:
    """Decisions that nobody has made yet. oldest: microseconds since 1970, None where nothing waits."""
    yield GaugeMetricFamily("credit_reviews_waiting", "Decisions that wait for a person.", count)
    if oldest is not None:
        since = "Since when the first of them waits, in seconds since 1970."
        yield GaugeMetricFamily("credit_reviews_oldest_timestamp_seconds", since, oldest / 1_000_000)


def families(at: str, report: OutcomeReport) -> Iterator[GaugeMetricFamily]:
    """One sample for each version that has outcomes. at: when the report was made."""
    made = "When the latest report of outcomes was made, in seconds since 1970."
    yield GaugeMetricFamily("credit_outcome_report_timestamp_seconds", made, microseconds(at) / 1_000_000)
    yield _gauge("known", "Outcomes of the latest months that have any.", report, lambda it: it.outcomes)
    for name, text in SHARES.items():
        for end in ("", *ENDS):
            yield _gauge("_".join(filter(None, (name, end))), text, report, partial(_share, name, end or "value"))
    for name, (text, of) in EXPECTED.items():
        yield _gauge(name, text, report, of)


def _share(name: str, end: str, it: Watched) -> float:
    found = it.bad_rate if name == "bad_rate" else it.auc
    return float(getattr(found, end))


def _gauge(name: str, text: str, report: OutcomeReport, of: Callable[[Watched], float]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"credit_outcomes_{name}", text, labels=["model_version"])
    for it in report.watched:
        gauge.add_metric([it.version], of(it))
    return gauge


def exposed(store: Store) -> bytes:
    """In the text format. Raises RecordUnavailable, RecordInvalid: Prometheus then sees a target that is down."""
    registry = CollectorRegistry(auto_describe=False)
    # Told at the scrape, because the registry would otherwise read the record to learn the names.
    registry.register(OutcomeMetrics(store))
    return generate_latest(registry)
