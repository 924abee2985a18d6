"""Every Prometheus metric of the serving process; each help text says who reads it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.metrics.bins import BinCounts
from app.scoring.model import ScoringModel
from app.scoring.policy import Policy

LATENCY_BUCKETS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds, for http_request_duration_seconds: a decision takes a few milliseconds."""

PROBABILITY_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9)

DIFFERENCE_BUCKETS = (-0.2, -0.1, -0.05, -0.02, -0.01, -0.005, 0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)

RELOAD_OUTCOMES = ("loaded", "refused", "unavailable", "failed")
POLICY_RELOAD_OUTCOMES = ("loaded", "refused", "failed")
CALLERS_RELOAD_OUTCOMES = ("loaded", "refused", "failed")
KEYLESS_OUTCOMES = ("no_key", "unknown_key")


class Metrics:
    """One set of metrics in one registry.

    threshold: the decision's at start, which becomes an edge of the probability histogram. Edges cannot change while
    the process lives: a policy with another threshold gets its own at the next start.
    """

    def __init__(self, threshold: float) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.http_requests = Counter(
            "http_requests_total",
            "Requests by handler, method and status; read by the error-ratio alerts and the Service dashboard.",
            ["handler", "method", "status"],
            registry=registry,
        )
        self.http_request_duration = Histogram(
            "http_request_duration_seconds",
            "Duration of requests by handler and method; read by the latency alerts and the Service dashboard.",
            ["handler", "method"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.decisions = Counter(
            "credit_decisions_total",
            "Decisions served; read by the approval-rate alert and the Decisions dashboard.",
            ["decision", "model_version"],
            registry=registry,
        )
        self.probability = Histogram(
            "credit_probability",
            "Probability of default; le counts values up to an edge; the threshold at start is one. Decisions board.",
            ["model_version"],
            buckets=sorted({*PROBABILITY_BUCKETS, threshold}),
            registry=registry,
        )
        self.out_of_range = Counter(
            "credit_out_of_range_total",
            "Values outside the range that the model was trained on; read by the Decisions dashboard.",
            ["feature"],
            registry=registry,
        )
        self.feature_values = BinCounts(
            "credit_feature_values",
            "Values in each of the reference population's bins; read by the drift recording rules.",
        )
        registry.register(self.feature_values)
        self.reference_share = Gauge(
            "credit_reference_share",
            "Share of the reference population in each bin; read by the drift recording rules.",
            ["feature", "bin"],
            registry=registry,
        )
        self.model_info = Gauge(
            "credit_model_info",
            "1 for the model that answers requests and for the challenger; read by the dashboards.",
            ["role", "name", "version", "alias", "run_id", "digest"],
            registry=registry,
        )
        self.model_loaded = Gauge(
            "credit_model_loaded", "1 while a model is loaded, else 0; read by the no-model alert.", registry=registry
        )
        self.model_stale = Gauge(
            "credit_model_stale",
            "1 while the loaded model is not known to be what the registry names, else 0; Decisions dashboard.",
            registry=registry,
        )
        self.model_trained = Gauge(
            "credit_model_trained_timestamp_seconds",
            "When the loaded model was trained; read by the Decisions dashboard as the model's age.",
            registry=registry,
        )
        self.model_loaded_at = Gauge(
            "credit_model_loaded_timestamp_seconds",
            "When the loaded model was taken into service; read by the Decisions dashboard.",
            registry=registry,
        )
        self.model_reloads = Counter(
            "credit_model_reloads_total",
            "Attempts to load a model by outcome; read by the reload-failing alert.",
            ["outcome"],
            registry=registry,
        )
        self.registry_up = Gauge(
            "credit_registry_up",
            "1 when the last contact with the model registry succeeded, else 0; read by the registry alert.",
            registry=registry,
        )
        self.policy_info = Gauge(
            "credit_policy_info",
            "1 for the policy in force; read by the Decisions dashboard.",
            ["version"],
            registry=registry,
        )
        self.policy_reloads = Counter(
            "credit_policy_reloads_total",
            "Attempts to take the policy file up by outcome; read by the policy-refused alert.",
            ["outcome"],
            registry=registry,
        )
        self.model_review_due = Gauge(
            "credit_model_review_due_timestamp_seconds",
            "When the review of the model in production is due, in seconds since 1970; read by the review-due alert.",
            ["model_version"],
            registry=registry,
        )
        self.reasons = Counter(
            "credit_reasons_total",
            "Reasons given with refusals, by code; read by the Decisions dashboard.",
            ["code"],
            registry=registry,
        )
        self.requests_by_caller = Counter(
            "credit_requests_by_caller_total",
            "Requests that need an API key, by caller and whether it was let in; Record dashboard.",
            ["caller", "outcome"],
            registry=registry,
        )
        self.callers_reloads = Counter(
            "credit_callers_reloads_total",
            "Attempts to take the callers' file up by outcome; read by the callers-refused alert.",
            ["outcome"],
            registry=registry,
        )
        self.journal_records = Counter(
            "credit_journal_records_total", "Records kept in the journal; Record dashboard.", registry=registry
        )
        self.journal_failures = Counter(
            "credit_journal_failures_total",
            "Records that could not be kept in the journal; read by the journal-failing alert.",
            registry=registry,
        )
        self.journal_pending = Gauge(
            "credit_journal_pending_records",
            "Records in the journal that the database does not have yet, NaN while the shipper does not say;"
            " Record dashboard.",
            registry=registry,
        )
        self.audit_lag = Gauge(
            "credit_audit_lag_seconds",
            "Age of the oldest record that the database does not have yet, else 0, NaN while the shipper does not say;"
            " read by the record-lagging alert.",
            registry=registry,
        )
        self.shipper_up = Gauge(
            "credit_shipper_up",
            "1 while the process that brings records to the database runs, else 0; read by the shipper-down alert.",
            registry=registry,
        )
        self.challenger_disagreements = Counter(
            "credit_challenger_disagreements_total",
            "Decisions, by what was answered, that the challenger would have made otherwise; Decisions dashboard.",
            ["decision", "challenger_version"],
            registry=registry,
        )
        self.challenger_difference = Histogram(
            "credit_challenger_score_difference",
            "Probability of the challenger minus the one that was answered; read by the Decisions dashboard.",
            ["challenger_version"],
            buckets=DIFFERENCE_BUCKETS,
            registry=registry,
        )
        self.challenger_dropped = Counter(
            "credit_challenger_dropped_total",
            "Decisions not compared: full, there were too many, or failed, it could not score. Decisions dashboard.",
            ["reason"],
            registry=registry,
        )
        self.challenger_reloads = Counter(
            "credit_challenger_reloads_total",
            "Attempts to load a challenger by outcome; read by the Decisions dashboard.",
            ["outcome"],
            registry=registry,
        )
        for outcome in RELOAD_OUTCOMES:
            self.model_reloads.labels(outcome)
            self.challenger_reloads.labels(outcome)
        for outcome in POLICY_RELOAD_OUTCOMES:
            self.policy_reloads.labels(outcome)
        for outcome in CALLERS_RELOAD_OUTCOMES:
            self.callers_reloads.labels(outcome)
        for outcome in KEYLESS_OUTCOMES:
            self.requests_by_caller.labels("", outcome)
        for reason in ("full", "failed"):
            self.challenger_dropped.labels(reason)
        self._described: dict[str, tuple[str, ...]] = {}
        self._review: tuple[str, int | None] = ("", None)

    def describe_policy(self, policy: Policy) -> None:
        """Describe the policy in force from now on."""
        self.policy_info.clear()
        self.policy_info.labels(policy.version).set(1)

    def describe_model(self, model: ScoringModel, alias: str, loaded_at: float) -> None:
        """Describe the model that answers from now on; the previous model's description goes.

        loaded_at: seconds since 1970.
        """
        self._describe("production", model, alias)
        self.model_loaded.set(1)
        self.model_trained.set(model.identity.trained_at)
        self.model_loaded_at.set(loaded_at)

    def describe_review(self, version: str, due: int | None) -> None:
        """When that version has to have been looked at again, microseconds since 1970; None: nobody has said."""
        if self._review != (version, due):
            self._review = version, due
            self.model_review_due.clear()
            if due is not None:
                self.model_review_due.labels(version).set(due / 1_000_000)

    def describe_challenger(self, model: ScoringModel | None, alias: str) -> None:
        """Describe the challenger from now on, or that there is none."""
        self._describe("challenger", model, alias)

    def _describe(self, role: str, model: ScoringModel | None, alias: str) -> None:
        if role in self._described:
            self.model_info.remove(*self._described.pop(role))
        if model is not None:
            identity = model.identity
            labels = (role, identity.name, identity.version, alias, identity.run_id, identity.digest)
            self.model_info.labels(*labels).set(1)
            self._described[role] = labels
