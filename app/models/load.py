"""Fitted scikit-learn models from files, after a check of what the files may contain.

scikit-learn and skops are imported where they are used: a model that compiles never needs them.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from app.errors import ModelRefused
from app.models.cache import read_entry
from app.scoring.forms.compiled import Scorer
from app.scoring.model import ModelDocument, ScoringModel

MODEL_FOLDER = "model"
UNCOMPILED = "uncompiled"

TRUSTED_TYPES: tuple[str, ...] = (
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
"""Beyond the types that skops trusts by itself. Each only holds numbers; none runs code when it is made."""


class Classifier(Protocol):
    """What every scikit-learn classifier offers."""

    def predict_proba(self, rows: Any, /) -> Any: ...


def load_estimator(path: Path, serialization: str, allow_pickle: bool) -> Classifier:
    """The estimator in a file.

    serialization: "skops", or "pickle" and "cloudpickle", which run their author's code and need allow_pickle.
    Raises ModelRefused naming the types that are not trusted, or what else is wrong with the file.
    """
    if serialization != "skops":
        if not allow_pickle:
            raise ModelRefused(
                f"the model is saved with {serialization}, which runs code when it is read; log it with skops,"
                " or set serving.allow_pickle where you trust every author of the registry"
            )
        return _unpickle(path)
    import skops.io

    try:
        untrusted = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED_TYPES))
        if untrusted:
            raise ModelRefused(f"the model holds types that are not trusted: {', '.join(untrusted)}")
        estimator = skops.io.load(path, trusted=list(TRUSTED_TYPES))
    except (ModelRefused, MemoryError):
        raise
    except Exception as error:  # a damaged archive can fail in any way, and each means the same
        raise ModelRefused(f"{path.name} is not a readable skops file ({type(error).__name__})") from error
    return _checked(estimator)


def _unpickle(path: Path) -> Classifier:
    import cloudpickle

    with path.open("rb") as file:
        return _checked(cloudpickle.load(file))


def _checked(estimator: Any) -> Classifier:
    if not hasattr(estimator, "predict_proba"):
        raise ModelRefused(f"{type(estimator).__name__} gives no probabilities: it has no predict_proba")
    classifier: Classifier = estimator
    return classifier


def probabilities(classifier: Classifier, rows: Sequence[Sequence[float]]) -> list[float]:
    """Probability of class 1 for each row of a model's inputs."""
    import numpy

    with warnings.catch_warnings():
        # Columns are put in the model's own order by name before they come here.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        result = classifier.predict_proba(numpy.array(rows, dtype=numpy.float64))
    return [float(value) for value in result[:, 1]]


def load_entry(entry: Path, allow_pickle: bool) -> ScoringModel:
    """The model of a cache entry, compiled when it can be.

    Raises ModelRefused when a file of the entry is not what was pulled.
    """
    document = read_entry(entry)
    if document.spec["kind"] != UNCOMPILED:
        return ScoringModel.compiled(document)
    return ScoringModel(document, _uncompiled(entry, document, allow_pickle))


def _uncompiled(entry: Path, document: ModelDocument, allow_pickle: bool) -> Scorer:
    path = entry / MODEL_FOLDER / document.spec["file"]
    classifier = load_estimator(path, document.spec["serialization"], allow_pickle)
    return lambda inputs: probabilities(classifier, [inputs])[0]
