"""Models in the formats of LightGBM, XGBoost and CatBoost, which hold numbers and no code.

Each library is imported where its models are read; all of them are in the extra `boosting`.
"""

from pathlib import Path
from typing import Any

from app.errors import ModelRefused
from app.models.predicting import Classifier


class BinaryBooster:
    """A LightGBM booster of two classes with scikit-learn's interface. Its labels are 0 and 1, or it would not be."""

    classes_ = (0, 1)

    def __init__(self, booster: Any) -> None:
        objective = booster.dump_model(num_iteration=1)["objective"]
        if not objective.startswith("binary "):
            raise ModelRefused(f"the LightGBM model has the objective {objective!r}, which gives no probability")
        self.booster_ = booster
        self.n_features_in_ = int(booster.num_feature())
        self.feature_names_in_ = list(booster.feature_name())

    def predict_proba(self, rows: Any, /) -> Any:
        import numpy

        found = self.booster_.predict(rows, num_threads=1)
        return numpy.column_stack([1.0 - found, found])


def read_native(path: Path, library: str) -> Classifier:
    """The classifier in a file of that library's own format. Raises whatever the library does."""
    if library == "lightgbm":
        import lightgbm

        return BinaryBooster(lightgbm.Booster(model_file=path))
    if library == "xgboost":
        return _xgboost(path)
    from catboost import CatBoostClassifier

    model = CatBoostClassifier()
    model.load_model(path)
    classifier: Classifier = model
    return classifier


def require_probabilities(classifier: Any) -> None:
    """Raises ModelRefused for an XGBoost classifier, also as the last step of a pipeline, that gives margins.

    Those may lie between 0 and 1 too, where no other check would notice.
    """
    while hasattr(classifier, "steps"):
        classifier = classifier.steps[-1][1]
    objective = getattr(classifier, "objective", None)
    if type(classifier).__module__.startswith("xgboost") and objective not in (None, "binary:logistic"):
        raise ModelRefused(f"the XGBoost model has the objective {objective!r}, which gives no probability")


def _xgboost(path: Path) -> Classifier:
    from xgboost import XGBClassifier

    model = XGBClassifier()
    model.load_model(path)
    # The number that the model was trained with is kept inside.
    model.get_booster().set_param({"nthread": 1})
    require_probabilities(model)
    classifier: Classifier = model
    return classifier
