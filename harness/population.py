"""A made-up reference population, light enough for any process."""

from collections.abc import Iterable

from app.scoring.model import FeatureReference, Reference
from harness.fields import CONTRACT, FEATURES


def reference(factors: Iterable[str] = CONTRACT.factor_names) -> Reference:
    """A population in which every field lies between 0 and 100, half of it at or below 1.

    factors: the model's, each of which is 1 of the reference applicant.
    """
    known = FeatureReference(minimum=0.0, maximum=100.0, edges=[1.0], shares=[0.5, 0.5], missing_share=0.0)
    return Reference(
        features=dict.fromkeys(FEATURES, known),
        score_edges=[0.05],
        score_shares=[0.7, 0.3],
        applicant=dict.fromkeys(factors, 1.0),
        golden_rows=[],
        golden_probabilities=[],
    )
