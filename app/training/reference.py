"""The population a model was trained on, in the few numbers that go with it: bins, ranges, an applicant, proofs."""

import numpy as np

from app.contract.computed import ComputedFactors, wire_rows
from app.contract.contract import Contract
from app.contract.fields import Field
from app.scoring.model import FeatureReference, Reference
from app.scoring.reasons import ELDERLY_AGE
from app.training.data import Dataset, Floats, Integers
from app.training.evaluate import Predict

GOLDEN_ROWS = 200
NEAR_THE_CUT_OFF = 500
"""Accepted applicants closest below the threshold, whose median is the reference applicant."""
DECILES = np.arange(1, 10) / 10


def build_reference(rows: Dataset, predict: Predict, threshold: float, seed: int, contract: Contract) -> Reference:
    """rows: those of the training. contract: the model's, whose fields are the rows'."""
    features = rows.features
    scores = predict(features)
    score_edges, score_shares = bins(scores)
    golden = features[_golden(features, seed)]
    return Reference(
        features={each.name: _feature(each, features[:, at]) for at, each in enumerate(contract.asked)},
        score_edges=score_edges,
        score_shares=score_shares,
        applicant=reference_applicant(rows, scores, threshold, contract),
        golden_rows=[contract.values(row) for row in wire_rows(contract, golden).tolist()],
        golden_probabilities=predict(golden).tolist(),
    )


def bins(values: Floats) -> tuple[list[float], list[float]]:
    """Edges at the deciles and the share of the values in each bin; NaN counts in the whole but in no bin.

    Bin i holds edges[i-1] < v <= edges[i]. An edge is always a value that occurs, and the largest value is
    none, so that no bin is empty: an empty one would make the population stability index infinite.
    """
    present = values[~np.isnan(values)]
    edges = np.unique(np.quantile(present, DECILES, method="inverted_cdf"))
    edges = edges[edges < present.max()]
    counts = np.bincount(np.searchsorted(edges, present, side="left"), minlength=len(edges) + 1)
    return edges.tolist(), (counts / len(values)).tolist()


def reference_applicant(rows: Dataset, scores: Floats, threshold: float, contract: Contract) -> dict[str, float | None]:
    """Per factor the median of the applicants "at or slightly above the minimum passing score"; of a category the
    value that most of them have.

    That is the base which comment 9(b)(2)-5 to 12 CFR 1002.9 names for finding the reasons of a refusal. Here:
    the 500 accepted applicants closest below the threshold, all of them when fewer were accepted, and when
    nobody was, the 500 with the lowest risk; nobody of 62 or more, who may be favoured for the age. A missing value
    does not count; a factor that none of them has is None.
    """
    young = np.arange(len(scores))
    if contract.age is not None and (below := rows.column(contract.age) < ELDERLY_AGE).any():
        young = young[below]
    order = young[np.argsort(scores[young], kind="stable")]
    accepted = order[scores[order] < threshold]
    chosen = accepted[-NEAR_THE_CUT_OFF:] if len(accepted) else order[:NEAR_THE_CUT_OFF]
    values = ComputedFactors(contract).matrix(rows.wire[chosen])
    applicant: dict[str, float | None] = {}
    for at, factor in enumerate(contract.factors):
        present = values[~np.isnan(values[:, at]), at]
        middle = _most_frequent if contract.categories[at] else np.median
        applicant[factor.name] = float(middle(present)) if len(present) else None
    return applicant


def _most_frequent(values: Floats) -> float:
    known, counts = np.unique(values, return_counts=True)
    return float(known[counts.argmax()])


def _feature(asked: Field, values: Floats) -> FeatureReference:
    edges, shares = _codes(values) if asked.type == "category" else bins(values)
    return FeatureReference(
        minimum=float(np.nanmin(values)),
        maximum=float(np.nanmax(values)),
        edges=edges,
        shares=shares,
        missing_share=float(np.isnan(values).mean()),
    )


def _codes(values: Floats) -> tuple[list[float], list[float]]:
    """As bins, of a category: one bin for each of the codes that occur."""
    known, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return known[:-1].tolist(), (counts / len(values)).tolist()


def _golden(features: Floats, seed: int) -> Integers:
    """Rows that a compiled model must score as the fitted one does; half with a missing value where there are any."""
    order = np.random.default_rng(seed).permutation(len(features))
    missing = np.isnan(features[order]).any(axis=1)
    incomplete, complete = order[missing][: GOLDEN_ROWS // 2], order[~missing]
    chosen: Integers = np.concatenate([incomplete, complete[: GOLDEN_ROWS - len(incomplete)]])
    return chosen
