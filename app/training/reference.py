"""The population a model was trained on, in the few numbers that go with it: bins, ranges, an applicant, proofs."""

import numpy as np

from app.features import FEATURES
from app.scoring.model import FeatureReference, Reference
from app.training.data import Floats
from app.training.evaluate import Predict

GOLDEN_ROWS = 200
NEAR_THE_CUT_OFF = 500
"""Accepted applicants closest below the threshold, whose median is the reference applicant."""
DECILES = np.arange(1, 10) / 10


def build_reference(features: Floats, predict: Predict, threshold: float, seed: int) -> Reference:
    """features: the training rows, in the order of FEATURES."""
    scores = predict(features)
    score_edges, score_shares = bins(scores)
    golden = _golden_rows(features, seed)
    return Reference(
        features={name: _feature(features[:, at]) for at, name in enumerate(FEATURES)},
        score_edges=score_edges,
        score_shares=score_shares,
        applicant=reference_applicant(features, scores, threshold),
        golden_rows=[_with_none(row) for row in golden],
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


def reference_applicant(features: Floats, scores: Floats, threshold: float) -> dict[str, float | None]:
    """Per feature the median of the applicants "at or slightly above the minimum passing score".

    That is the base which comment 9(b)(2)-5 to 12 CFR 1002.9 names for finding the reasons of a refusal. Here:
    the 500 accepted applicants closest below the threshold, all of them when fewer were accepted, and when
    nobody was, the 500 with the lowest risk. A missing value does not count; a feature that none of them has
    is None.
    """
    order = np.argsort(scores, kind="stable")
    accepted = order[scores[order] < threshold]
    chosen = features[accepted[-NEAR_THE_CUT_OFF:] if len(accepted) else order[:NEAR_THE_CUT_OFF]]
    applicant: dict[str, float | None] = {}
    for at, name in enumerate(FEATURES):
        present = chosen[:, at][~np.isnan(chosen[:, at])]
        applicant[name] = float(np.median(present)) if len(present) else None
    return applicant


def _feature(values: Floats) -> FeatureReference:
    edges, shares = bins(values)
    return FeatureReference(
        minimum=float(np.nanmin(values)),
        maximum=float(np.nanmax(values)),
        edges=edges,
        shares=shares,
        missing_share=float(np.isnan(values).mean()),
    )


def _golden_rows(features: Floats, seed: int) -> Floats:
    """Rows that a compiled model must score as the fitted one does; half with a missing value where there are any."""
    order = np.random.default_rng(seed).permutation(len(features))
    missing = np.isnan(features[order]).any(axis=1)
    incomplete, complete = order[missing][: GOLDEN_ROWS // 2], order[~missing]
    chosen = np.concatenate([incomplete, complete[: GOLDEN_ROWS - len(incomplete)]])
    golden: Floats = features[chosen]
    return golden


def _with_none(row: Floats) -> list[float | None]:
    return [None if value != value else float(value) for value in row]
