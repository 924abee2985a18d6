"""A made-up reference population, light enough for any process."""

from app.features import FEATURES
from app.scoring.model import FeatureReference, Reference


def reference() -> Reference:
    """A population in which every feature lies between 0 and 100, half of it at or below 1."""
    known = FeatureReference(minimum=0.0, maximum=100.0, edges=[1.0], shares=[0.5, 0.5], missing_share=0.0)
    return Reference(
        features=dict.fromkeys(FEATURES, known),
        score_edges=[0.05],
        score_shares=[0.7, 0.3],
        applicant=dict.fromkeys(FEATURES, 1.0),
        golden_rows=[],
        golden_probabilities=[],
    )
