"""Constructor parameters with which an estimator computes what the extractor reads from its attributes.

A parameter can change what an attribute means, so every one has to be known: those that only matter while fitting,
and of the others the values that the compiled form stands for.
"""

from collections.abc import Callable
from typing import Any

from app.errors import NotCompilable

Allowed = Callable[[Any], bool]


def _anything(_: Any) -> bool:
    return True


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def _one_of(*values: Any) -> Allowed:
    return lambda value: any(value is each or value == each for each in values)


def _fitting(names: str) -> dict[str, Allowed]:
    return dict.fromkeys(names.split(), _anything)


KNOWN: dict[str, dict[str, Allowed]] = {
    "SimpleImputer": _fitting("strategy fill_value copy keep_empty_features")
    | {"missing_values": _is_nan, "add_indicator": _one_of(False)},
    "StandardScaler": _fitting("copy with_mean with_std"),
    "LogisticRegression": _fitting(
        "penalty C l1_ratio dual tol fit_intercept intercept_scaling class_weight random_state solver max_iter verbose"
        " warm_start n_jobs"
    ),
    "HistGradientBoostingClassifier": _fitting(
        "learning_rate max_iter max_leaf_nodes max_depth min_samples_leaf l2_regularization max_features max_bins"
        " categorical_features monotonic_cst interaction_cst warm_start early_stopping scoring validation_fraction"
        " n_iter_no_change tol verbose random_state class_weight"
    )
    | {"loss": _one_of("log_loss")},
    "Pipeline": _fitting("steps memory verbose transform_input"),
    "LGBMClassifier": _fitting(
        "num_leaves max_depth learning_rate n_estimators subsample_for_bin class_weight min_split_gain"
        " min_child_weight min_child_samples subsample subsample_freq colsample_bytree reg_alpha reg_lambda"
        " random_state n_jobs importance_type verbose verbosity is_unbalance scale_pos_weight monotone_constraints"
        " feature_fraction bagging_fraction bagging_freq lambda_l1 lambda_l2 min_data_in_leaf seed num_threads"
        " deterministic force_col_wise force_row_wise max_bin metric early_stopping_round"
    )
    | {"boosting_type": _one_of("gbdt", "goss", "dart"), "objective": _one_of(None, "binary")},
}
"""By class and parameter: whether a value is one that the compiled form stands for."""

LIBRARIES = ("sklearn", "lightgbm")


def require_known(estimator: Any) -> str:
    """The estimator's class, when it is a library's own and each of its parameters is known.

    Raises NotCompilable naming the class or the parameter.
    """
    name = type(estimator).__name__
    known = KNOWN.get(name)
    if known is None or type(estimator).__module__.split(".")[0] not in LIBRARIES:
        raise NotCompilable(f"{name} has no compiled form")
    for parameter, value in estimator.get_params(deep=False).items():
        if parameter not in known or not known[parameter](value):
            raise NotCompilable(f"{name}({parameter}={value!r}) has no compiled form")
    return name
