"""The proof that a pulled model computes what it computed when it was trained, before it may serve."""

from collections.abc import Sequence
from math import isfinite, nan
from random import Random

from app.errors import ModelRefused
from app.features import NULLABLE, POSITIONS
from app.models.load import Classifier, probabilities
from app.scoring.forms.compiled import Scorer
from app.scoring.model import Reference, wire_vector

GOLDEN_TOLERANCE = 1e-9
LINEAR_TOLERANCE = 1e-12
"""numpy may add a row's products in another order than Python does; trees leave no such freedom."""

PROBES = 200


def probe_vectors() -> list[list[float]]:
    """Seeded wire vectors for a model that came without golden rows: plausible, extreme and missing values."""
    random = Random(11)
    vectors = []
    for _ in range(PROBES):
        vector = [random.choice([0.0, 1.0, random.uniform(0, 5), random.expovariate(1e-3)]) for _ in POSITIONS]
        for position, name in enumerate(POSITIONS):
            if name in NULLABLE and random.random() < 0.2:
                vector[position] = nan
        vectors.append(vector)
    return vectors


def prove(
    classifier: Classifier, scorer: Scorer | None, kind: str, positions: Sequence[int], reference: Reference | None
) -> None:
    """Compare the compiled scorer with predict_proba, and predict_proba with the golden probabilities.

    scorer: None when the model has no compiled form. Raises ModelRefused with the first difference.
    """
    vectors = probe_vectors() if reference is None else [wire_vector(row) for row in reference.golden_rows]
    inputs = [[vector[position] for position in positions] for vector in vectors]
    try:
        found = probabilities(classifier, inputs)
    except MemoryError:
        raise
    except Exception as error:  # an estimator may fail in any way; the registry's model is then unfit to serve
        raise ModelRefused(f"predict_proba fails on rows of the wire vector ({type(error).__name__})") from error
    if not all(isfinite(value) and 0.0 <= value <= 1.0 for value in found):
        raise ModelRefused("predict_proba gives values that are no probabilities")
    if reference is not None:
        _compare("golden row", found, reference.golden_probabilities, GOLDEN_TOLERANCE)
    if scorer is not None:
        tolerance = LINEAR_TOLERANCE if kind == "linear" else 0.0
        _compare("compiled scorer, row", [scorer(row) for row in inputs], found, tolerance)


def _compare(what: str, found: list[float], expected: list[float], tolerance: float) -> None:
    for index, (value, wanted) in enumerate(zip(found, expected, strict=True)):
        if abs(value - wanted) > tolerance:
            raise ModelRefused(f"{what} {index}: {value!r} instead of {wanted!r}, more than {tolerance} apart")
