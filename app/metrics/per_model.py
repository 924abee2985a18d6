"""What is counted of each decision, with the labels of its model bound."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app.metrics.bins import MISSING
from app.metrics.bound import BoundCounter, BoundHistogram
from app.metrics.definitions import Metrics
from app.scoring.decider import Decision
from app.scoring.model import ScoringModel
from app.scoring.policy import VERDICTS, Verdict

if TYPE_CHECKING:
    from app.scoring.rows import Floats, Verdicts


class ChallengerMetrics:
    """The counters of one challenger with their labels bound."""

    def __init__(self, metrics: Metrics, model: ScoringModel) -> None:
        version = model.identity.version
        self._difference = metrics.challenger_difference.labels(version)
        self._disagreements = {it: metrics.challenger_disagreements.labels(it, version) for it in VERDICTS}

    def observe(self, difference: float, decision: Verdict, challengers: Verdict) -> None:
        """Count one comparison. decision: what was answered; challengers: what the challenger would have."""
        self._difference.observe(difference)
        if challengers != decision:
            self._disagreements[decision].inc()


class ModelMetrics:
    """The counters of one model with their labels bound, because finding a label costs more than counting."""

    def __init__(self, metrics: Metrics, model: ScoringModel) -> None:
        version = model.identity.version
        self._decisions = {it: BoundCounter(metrics.decisions.labels(it, version)) for it in VERDICTS}
        self._reasons = metrics.reasons
        self._probability = BoundHistogram(metrics.probability.labels(version))
        contract = model.contract
        self._out_of_range = {name: metrics.out_of_range.labels(name) for name in contract.asked_names}
        self._bins: list[tuple[int, list[float], list[int]]] = []
        self._score_edges: list[float] = []
        self._score_bins: list[int] = []
        reference = model.document.reference
        metrics.reference_share.clear()
        if reference is None:
            return

        def bins(name: str, shares: list[float], nullable: bool = False) -> list[int]:
            for index, share in enumerate(shares):
                metrics.reference_share.labels(name, str(index)).set(share)
            return metrics.feature_values.of(name, len(shares), nullable)

        for name, known in reference.features.items():
            nullable = name in contract.nullable
            if nullable:
                metrics.reference_share.labels(name, "missing").set(known.missing_share)
            self._bins.append((contract.names.index(name), known.edges, bins(name, known.shares, nullable)))
        self._score_edges = reference.score_edges
        self._score_bins = bins("probability", reference.score_shares)

    def observe(self, vector: list[float], decision: Decision, out_of_range: list[str]) -> None:
        """Count one decision. vector: the wire vector, NaN where a value is missing."""
        self._decisions[decision.verdict].inc()
        self._probability.observe(decision.probability)
        for reason in decision.reasons:
            self._reasons.labels(reason.code).inc()
        for name in out_of_range:
            self._out_of_range[name].inc()
        for position, edges, counts in self._bins:
            value = vector[position]
            counts[bisect_left(edges, value) if value == value else MISSING] += 1
        if self._score_bins:
            self._score_bins[bisect_left(self._score_edges, decision.probability)] += 1

    def observe_rows(
        self,
        rows: "Floats",
        probabilities: Sequence[float],
        verdicts: "Verdicts",
        reasons: Mapping[str, int],
        out_of_range: Mapping[str, int],
    ) -> None:
        """As observe for one after the other. verdicts: places in VERDICTS.

        reasons, out_of_range: how often each code and feature came.
        """
        import numpy as np

        for verdict, count in zip(VERDICTS, np.bincount(verdicts, minlength=len(VERDICTS)).tolist(), strict=True):
            self._decisions[verdict].inc(count)
        self._probability.observe_each(probabilities)
        for code, count in reasons.items():
            self._reasons.labels(code).inc(count)
        for name, count in out_of_range.items():
            self._out_of_range[name].inc(count)
        for position, edges, counts in self._bins:
            present = rows[~np.isnan(rows[:, position]), position]
            _count_bins(counts, edges, present)
            counts[MISSING] += len(rows) - len(present)
        if self._score_bins:
            _count_bins(self._score_bins, self._score_edges, np.array(probabilities))


def _count_bins(counts: list[int], edges: Sequence[float], values: "Floats") -> None:
    import numpy as np

    for index, count in enumerate(np.bincount(np.searchsorted(edges, values)).tolist()):
        counts[index] += count
