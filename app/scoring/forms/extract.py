"""A fitted classifier -> a scorer specification: plain numbers that JSON can hold.

The estimator is recognised by its class and read through its fitted attributes, so that this module needs no
scikit-learn of its own. What it does not know raises NotCompilable.
"""

from sys import float_info
from typing import Any

from app.errors import NotCompilable
from app.scoring.forms import lightgbm
from app.scoring.forms.parameters import require_known

Spec = dict[str, Any]

BITS = 32
"""Of a word of the sets of categories that scikit-learn's trees hold."""


def extract(estimator: Any, positive: int = 1) -> Spec:
    """The specification of a binary classifier, for `app.scoring.forms.compiled.compile_scorer`.

    positive: index, among the estimator's classes, of the one whose probability is scored.
    Raises NotCompilable with the part that has no compiled form.
    """
    name = type(estimator).__name__
    classes = list(getattr(estimator, "classes_", []))
    if len(classes) != 2:
        raise NotCompilable(f"{name} has the classes {classes}, not two")
    spec = _second_class(estimator)
    return spec if positive == 1 else _negated(spec)


def _second_class(estimator: Any) -> Spec:
    name = type(estimator).__name__
    if name == lightgbm.MODEL:
        return lightgbm.boosted_trees(estimator.booster_)
    require_known(estimator)
    if name == "HistGradientBoostingClassifier":
        return _boosted_trees(estimator)
    if name == "LGBMClassifier":
        return lightgbm.boosted_trees(estimator.booster_)
    if name == "LogisticRegression":
        return _linear([], estimator)
    if name == "Pipeline":
        *transformers, last = (step for _, step in estimator.steps)
        if type(last).__name__ == "LogisticRegression":
            require_known(last)
            return _linear(transformers, last)
        name = f"Pipeline ending in {type(last).__name__}"
    raise NotCompilable(f"{name} has no compiled form")


def _negated(spec: Spec) -> Spec:
    """Of the first class: its log-odds are those of the second one, negated."""
    if spec["kind"] == "linear":
        return {**spec, "coefficients": [-value for value in spec["coefficients"]], "intercept": -spec["intercept"]}
    trees = [{**tree, "value": [-value for value in tree["value"]]} for tree in spec["trees"]]
    return {**spec, "baseline": -spec["baseline"], "trees": trees}


def _boosted_trees(estimator: Any) -> Spec:
    if estimator.n_trees_per_iteration_ != 1:
        raise NotCompilable(f"{estimator.n_trees_per_iteration_} trees an iteration, not 1")
    columns = _columns_of(estimator)
    trees = []
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes
        categories = {"values": _values_of(predictor, columns)} if nodes["is_categorical"].any() else {}
        trees.append(
            {
                **categories,
                "leaf": nodes["is_leaf"].astype(bool).tolist(),
                "value": nodes["value"].tolist(),
                "feature": [columns[at][0] if columns else at for at in nodes["feature_idx"].tolist()],
                # A threshold of +inf sends every number left and NaN right; the largest float does the same.
                "threshold": [min(float(t), float_info.max) for t in nodes["num_threshold"]],
                "missing_left": nodes["missing_go_to_left"].astype(bool).tolist(),
                "left": nodes["left"].tolist(),
                "right": nodes["right"].tolist(),
            }
        )
    baseline = float(estimator._baseline_prediction.ravel()[0])
    return {"kind": "boosted_trees", "inputs": int(estimator.n_features_in_), "baseline": baseline, "trees": trees}


def _columns_of(estimator: Any) -> list[tuple[int, list[float]]]:
    """Of each column that the trees see its place among the inputs, and of a category its values by their codes.

    Empty where the trees see the inputs as they are. Where there are categories the estimator puts them first, encoded.
    """
    preprocessor = getattr(estimator, "_preprocessor", None)
    if preprocessor is None:
        return []
    encoder = preprocessor.named_transformers_["encoder"]
    flags = [bool(flag) for flag in estimator.is_categorical_]
    found: list[tuple[int, list[float]]] = []
    for at, values in zip((at for at, flag in enumerate(flags) if flag), encoder.categories_, strict=True):
        if values.dtype.kind not in "fiu":
            raise NotCompilable("categories that are no numbers have no compiled form")
        found.append((at, [float(value) for value in values if value == value]))
    return [*found, *((at, []) for at, flag in enumerate(flags) if not flag)]


def _values_of(predictor: Any, columns: list[tuple[int, list[float]]]) -> list[list[float] | None]:
    """Of each node that splits a category the values that go where a missing one does not; None of any other node.

    A value that the training did not see goes with the missing ones.
    """
    found: list[list[float] | None] = []
    for node in predictor.nodes:
        if node["is_leaf"] or not node["is_categorical"]:
            found.append(None)
            continue
        words = predictor.raw_left_cat_bitsets[node["bitset_idx"]].tolist()
        known = columns[node["feature_idx"]][1]
        is_left = [bool(words[code // BITS] >> (code % BITS) & 1) for code in range(len(known))]
        wanted = not node["missing_go_to_left"]
        found.append([value for value, left in zip(known, is_left, strict=True) if left == wanted])
    return found


def _linear(transformers: list[Any], regression: Any) -> Spec:
    return {
        "kind": "linear",
        "inputs": int((transformers[0] if transformers else regression).n_features_in_),
        "steps": [_step(transformer) for transformer in transformers],
        "coefficients": regression.coef_[0].tolist(),
        "intercept": float(regression.intercept_[0]),
    }


def _step(transformer: Any) -> Spec:
    name = type(transformer).__name__
    if name not in ("SimpleImputer", "StandardScaler"):
        raise NotCompilable(f"{name} before a LogisticRegression has no compiled form")
    require_known(transformer)
    if name == "SimpleImputer":
        fill = [float(value) for value in transformer.statistics_]
        if any(value != value for value in fill):
            raise NotCompilable("SimpleImputer drops a column that was always missing")
        return {"kind": "impute", "fill": fill}
    width = int(transformer.n_features_in_)
    # The attributes are there whether they are used or not.
    mean = transformer.mean_.tolist() if transformer.with_mean else [0.0] * width
    scale = transformer.scale_.tolist() if transformer.with_std else [1.0] * width
    return {"kind": "scale", "mean": mean, "scale": scale}
