"""A fitted scikit-learn classifier -> a scorer specification: plain numbers that JSON can hold.

The estimator is recognised by its class's name and read through its fitted attributes, so that this
module needs no scikit-learn of its own. What it does not know raises NotCompilable.
"""

from sys import float_info
from typing import Any

from app.errors import NotCompilable

Spec = dict[str, Any]


def extract(estimator: Any) -> Spec:
    """The specification of a binary classifier, for `app.scoring.forms.compiled.compile_scorer`.

    Raises NotCompilable with the part that has no compiled form.
    """
    name = type(estimator).__name__
    if list(getattr(estimator, "classes_", [])) != [0, 1]:
        raise NotCompilable(f"{name} has the classes {list(getattr(estimator, 'classes_', []))}, not [0, 1]")
    if name == "HistGradientBoostingClassifier":
        return _boosted_trees(estimator)
    if name == "LogisticRegression":
        return _linear([], estimator)
    if name == "Pipeline":
        *transformers, last = (step for _, step in estimator.steps)
        if type(last).__name__ == "LogisticRegression":
            return _linear(transformers, last)
        name = f"Pipeline ending in {type(last).__name__}"
    raise NotCompilable(f"{name} has no compiled form")


def _boosted_trees(estimator: Any) -> Spec:
    if estimator.n_trees_per_iteration_ != 1:
        raise NotCompilable(f"{estimator.n_trees_per_iteration_} trees an iteration, not 1")
    if getattr(estimator, "_preprocessor", None) is not None:
        raise NotCompilable("categorical features have no compiled form")
    trees = []
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes
        if nodes["is_categorical"].any():
            raise NotCompilable("categorical splits have no compiled form")
        trees.append(
            {
                "leaf": nodes["is_leaf"].astype(bool).tolist(),
                "value": nodes["value"].tolist(),
                "feature": nodes["feature_idx"].tolist(),
                # A threshold of +inf sends every number left and NaN right; the largest float does the same.
                "threshold": [min(float(t), float_info.max) for t in nodes["num_threshold"]],
                "missing_left": nodes["missing_go_to_left"].astype(bool).tolist(),
                "left": nodes["left"].tolist(),
                "right": nodes["right"].tolist(),
            }
        )
    baseline = float(estimator._baseline_prediction.ravel()[0])
    return {"kind": "boosted_trees", "inputs": int(estimator.n_features_in_), "baseline": baseline, "trees": trees}


def _linear(transformers: list[Any], regression: Any) -> Spec:
    steps: list[Spec] = []
    for transformer in transformers:
        name = type(transformer).__name__
        if name == "SimpleImputer" and not transformer.add_indicator and transformer.missing_values != 0:
            fill = [float(value) for value in transformer.statistics_]
            if any(value != value for value in fill):
                raise NotCompilable("SimpleImputer drops a column that was always missing")
            steps.append({"kind": "impute", "fill": fill})
        elif name == "StandardScaler":
            width = int(transformer.n_features_in_)
            mean = [0.0] * width if transformer.mean_ is None else transformer.mean_.tolist()
            scale = [1.0] * width if transformer.scale_ is None else transformer.scale_.tolist()
            steps.append({"kind": "scale", "mean": mean, "scale": scale})
        else:
            raise NotCompilable(f"{name} before a LogisticRegression has no compiled form")
    return {
        "kind": "linear",
        "inputs": int((transformers[0] if transformers else regression).n_features_in_),
        "steps": steps,
        "coefficients": regression.coef_[0].tolist(),
        "intercept": float(regression.intercept_[0]),
    }
