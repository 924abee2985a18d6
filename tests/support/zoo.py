"""Models as lenders register them, each with what becomes of it: by hand, without anything of this project's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from harness.fields import FEATURES

COMPILED, UNCOMPILED, REFUSED = "compiled", "predict_proba", "refused"

Table = Callable[[pd.DataFrame], Any]
"""From the ten features by name, in a frame numbered from 1, to what the estimator is fitted on."""


def array(rows: pd.DataFrame) -> Any:
    return rows.to_numpy()


def frame(rows: pd.DataFrame) -> Any:
    return rows


def backwards(rows: pd.DataFrame) -> Any:
    return rows[rows.columns[::-1]]


def numbered_array(rows: pd.DataFrame) -> Any:
    return np.column_stack([rows.index, rows.to_numpy()])


def with_column(name: str, place: int, value: Callable[[pd.DataFrame], Any] | None = None) -> Table:
    """With one more: the row's number, or the value."""

    def table(rows: pd.DataFrame) -> Any:
        found = rows.copy()
        found.insert(place, name, (rows.index if value is None else value(rows)).astype(np.float64))
        return found

    return table


def past_due(rows: pd.DataFrame) -> Any:
    return rows[[name for name in FEATURES if "Past" in name or "Late" in name]].sum(axis=1)


def without_age(rows: pd.DataFrame) -> Any:
    return rows.drop(columns="age").assign(YearsAtAddress=rows["age"] - 18)


def nine(rows: pd.DataFrame) -> Any:
    return rows[list(FEATURES[:9])]


@dataclass(frozen=True)
class Tried:
    """A model and how it is registered."""

    what: str
    make: Callable[[], Any]
    becomes: str
    says: str = ""
    """A pattern that the sentence about it matches; empty when there is none."""
    table: Table = array
    flavor: str = "sklearn"
    serialization: str = "skops"
    outcome: Callable[[Any], Any] = field(default=lambda defaults: defaults)
    """From 0 and 1 to what it is fitted on."""
    default: Any = 1
    """What the outcome makes of 1."""
    signature: Callable[[pd.DataFrame], Any] | None = None
    """A table that has the columns of the signature; without one there is none."""
    tags: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    """Of tests/data/pickles, put in its file's place, as the release of its name would have saved it."""


def boosted(**parameters: Any) -> Callable[[], Any]:
    return lambda: HistGradientBoostingClassifier(max_iter=30, random_state=0, **parameters)


def line(*steps: Any) -> Callable[[], Any]:
    """A logistic regression behind these steps."""
    return lambda: make_pipeline(*steps, LogisticRegression(max_iter=2000))


def imputed(*steps: Any) -> Callable[[], Any]:
    return lambda: make_pipeline(SimpleImputer(), *steps)


def light(**parameters: Any) -> Callable[[], Any]:
    return lambda: LGBMClassifier(n_estimators=30, verbose=-1, n_jobs=1, **parameters)


def extreme(**parameters: Any) -> Callable[[], Any]:
    return lambda: XGBClassifier(n_estimators=30, n_jobs=1, **parameters)


def cat() -> Any:
    return CatBoostClassifier(iterations=30, verbose=0, thread_count=1, allow_writing_files=False)


def words(defaults: Any) -> Any:
    return np.where(defaults == 1, "default", "paid")


def risks(defaults: Any) -> Any:
    return np.where(defaults == 1, "bad", "good")


def by_names() -> Any:
    counts = [name for name in FEATURES if name.startswith("Number")]
    rest = [name for name in FEATURES if name not in counts]
    parts = [("counts", make_pipeline(SimpleImputer(), MinMaxScaler()), counts)]
    parts += [("rest", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), rest)]
    return make_pipeline(ColumnTransformer(parts), LogisticRegression(max_iter=2000))


def by_places() -> Any:
    parts = [("a", SimpleImputer(), [0, 1, 2, 3, 4]), ("b", make_pipeline(SimpleImputer(), StandardScaler()), [5, 9])]
    return make_pipeline(ColumnTransformer(parts), LogisticRegression(max_iter=2000))


def several() -> list[tuple[str, Any]]:
    return [("trees", boosted()()), ("line", line(SimpleImputer(), StandardScaler())())]


def capped(rows: Any) -> Any:
    """A lender's own step."""
    return np.clip(rows, 0, 1e5)


NO_NAMES = "names no columns"
SLOWER = "served through predict_proba"
CLASS = "counts as default"
PICKLED: dict[str, Any] = {"serialization": "cloudpickle", "settings": {"allow_pickle": True}}

MODELS = [
    Tried("HistGradientBoosting", boosted(), COMPILED, NO_NAMES),
    Tried("  on a table", boosted(), COMPILED, table=frame),
    Tried("  on reversed columns", boosted(), COMPILED, table=backwards),
    Tried("  on reversed columns, signature in their order", boosted(), COMPILED, table=backwards, signature=backwards),
    Tried(
        "  on an array, named by a reversed signature",
        boosted(),
        COMPILED,
        table=lambda r: backwards(r).to_numpy(),
        signature=backwards,
    ),
    Tried(
        "  on a table, signature in another order",
        boosted(),
        REFUSED,
        "signature has the columns",
        table=frame,
        signature=backwards,
    ),
    Tried("  with the column id", boosted(), COMPILED, table=with_column("id", 0)),
    Tried("  with the column 'Unnamed: 0' last", boosted(), COMPILED, table=with_column("Unnamed: 0", 10)),
    Tried(
        "  with the column TotalPastDue",
        boosted(),
        REFUSED,
        "'TotalPastDue', which is no field that is asked for",
        table=with_column("TotalPastDue", 10, past_due),
    ),
    Tried("  with age replaced by another column", boosted(), REFUSED, "YearsAtAddress", table=without_age),
    Tried("  on nine columns", boosted(), REFUSED, "takes 9 inputs", table=nine),
    Tried("  on an array of eleven", boosted(), COMPILED, NO_NAMES, table=numbered_array),
    Tried(
        "  signature with text for age",
        boosted(),
        REFUSED,
        "'age' as string",
        table=frame,
        signature=lambda r: r.assign(age="old"),
    ),
    Tried("  of False and True", boosted(), COMPILED, table=frame, outcome=lambda y: y == 1, default=True),
    Tried("  of -1 and 1", boosted(), COMPILED, table=frame, outcome=lambda y: 2 * y - 1),
    Tried(
        "  of paid and default, tagged",
        boosted(),
        COMPILED,
        CLASS,
        table=frame,
        outcome=words,
        default="default",
        tags={"positive_class": "default"},
    ),
    Tried("  of paid and default, not tagged", boosted(), REFUSED, "neither is known", table=frame, outcome=words),
    Tried(
        "  of good and bad, by the setting",
        boosted(),
        COMPILED,
        CLASS,
        table=frame,
        outcome=risks,
        default="bad",
        settings={"positive_class": "bad"},
    ),
    Tried(
        "  of 2 (paid) and 1 (default)", boosted(), REFUSED, "neither is known", table=frame, outcome=lambda y: 2 - y
    ),
    Tried(
        "  of 2 (paid) and 1 (default), tagged",
        boosted(),
        COMPILED,
        CLASS,
        table=frame,
        outcome=lambda y: 2 - y,
        tags={"positive_class": "1"},
    ),
    Tried(
        "  of three classes",
        boosted(),
        REFUSED,
        "3 classes",
        table=frame,
        outcome=lambda y: y + (np.arange(len(y)) % 9 == 0),
    ),
    Tried("  with categories", boosted(categorical_features=[6]), COMPILED, table=frame),
    Tried(
        "  with categories by name",
        boosted(categorical_features=["NumberOfTimes90DaysLate"]),
        COMPILED,
        table=frame,
    ),
    Tried("  monotonic", boosted(monotonic_cst=[1, -1, 0, 0, 0, 0, 0, 0, 0, 0]), COMPILED, table=frame),
    Tried("  stopped early", boosted(early_stopping=True), COMPILED, table=frame),
    Tried(
        "  pickled, not allowed", boosted(), REFUSED, "serving.allow_pickle", table=frame, serialization="cloudpickle"
    ),
    Tried("  pickled, allowed", boosted(), COMPILED, table=frame, **PICKLED),
    Tried("LogisticRegression, imputed and scaled", line(SimpleImputer(), StandardScaler()), COMPILED, table=frame),
    Tried(
        "  of paid and default, tagged",
        line(SimpleImputer(), StandardScaler()),
        COMPILED,
        CLASS,
        table=frame,
        outcome=words,
        default="default",
        tags={"positive_class": "default"},
    ),
    Tried(
        "  of eleven, as the reference architecture's",
        line(SimpleImputer(strategy="median"), StandardScaler()),
        COMPILED,
        NO_NAMES,
        table=numbered_array,
    ),
    Tried("  with_mean=False", line(SimpleImputer(), StandardScaler(with_mean=False)), COMPILED, table=frame),
    Tried("  with_std=False", line(SimpleImputer(), StandardScaler(with_std=False)), COMPILED, table=frame),
    Tried(
        "  missing_values=98, then 96",
        line(SimpleImputer(), SimpleImputer(missing_values=98), SimpleImputer(missing_values=96), StandardScaler()),
        UNCOMPILED,
        r"missing_values=98",
        table=frame,
    ),
    Tried(
        "  add_indicator=True",
        line(SimpleImputer(add_indicator=True), StandardScaler()),
        UNCOMPILED,
        "add_indicator",
        table=frame,
    ),
    Tried("  KNNImputer", line(KNNImputer(), StandardScaler()), UNCOMPILED, SLOWER, table=frame),
    Tried("  RobustScaler", line(SimpleImputer(), RobustScaler()), UNCOMPILED, SLOWER, table=frame),
    Tried(
        "  polynomials", line(SimpleImputer(), StandardScaler(), PolynomialFeatures(2)), UNCOMPILED, SLOWER, table=frame
    ),
    Tried("  splines", line(SimpleImputer(), SplineTransformer(n_knots=4)), UNCOMPILED, SLOWER, table=frame),
    Tried(
        "  bins",
        line(
            SimpleImputer(),
            KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"),
        ),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried("  quantiles", line(SimpleImputer(), QuantileTransformer(n_quantiles=50)), UNCOMPILED, SLOWER, table=frame),
    Tried("  PowerTransformer", line(SimpleImputer(), PowerTransformer()), UNCOMPILED, SLOWER, table=frame),
    Tried(
        "  log1p",
        line(SimpleImputer(), FunctionTransformer(np.log1p), StandardScaler()),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried(
        "  a lender's own function, skops",
        line(SimpleImputer(), FunctionTransformer(capped)),
        REFUSED,
        "serving.trusted_types",
        table=frame,
    ),
    Tried(
        "  a lender's own function, trusted",
        line(SimpleImputer(), FunctionTransformer(capped)),
        UNCOMPILED,
        SLOWER,
        table=frame,
        settings={"trusted_types": ("tests.support.zoo.capped",)},
    ),
    Tried("  without an imputer", line(StandardScaler()), REFUSED, "imputer in front", table=lambda r: r.fillna(0.0)),
    Tried("  ColumnTransformer by names", by_names, UNCOMPILED, SLOWER, table=frame),
    Tried("  ColumnTransformer by places", by_places, UNCOMPILED, SLOWER, table=frame),
    Tried(
        "  one-hot",
        line(SimpleImputer(), OneHotEncoder(handle_unknown="ignore", max_categories=5)),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried(
        "  LogisticRegressionCV",
        imputed(
            StandardScaler(),
            LogisticRegressionCV(
                cv=2, use_legacy_attributes=False, scoring="neg_log_loss", l1_ratios=(0,), max_iter=500
            ),
        ),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried(
        "  GridSearchCV",
        lambda: GridSearchCV(line(SimpleImputer(), StandardScaler())(), {"logisticregression__C": [0.1, 1]}, cv=2),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried(
        "  by gradient descent",
        imputed(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried(
        "RandomForest, n_jobs=-1",
        imputed(RandomForestClassifier(20, n_jobs=-1, random_state=0)),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried("ExtraTrees", imputed(ExtraTreesClassifier(20, random_state=0)), UNCOMPILED, SLOWER, table=frame),
    Tried("GradientBoosting", imputed(GradientBoostingClassifier(n_estimators=20)), UNCOMPILED, SLOWER, table=frame),
    Tried("AdaBoost", imputed(AdaBoostClassifier(n_estimators=10)), UNCOMPILED, SLOWER, table=frame),
    Tried("Bagging", imputed(BaggingClassifier(n_estimators=5, random_state=0)), UNCOMPILED, SLOWER, table=frame),
    Tried("DecisionTree", lambda: DecisionTreeClassifier(max_depth=5), UNCOMPILED, SLOWER, table=frame),
    Tried("KNeighbors", imputed(StandardScaler(), KNeighborsClassifier(15)), UNCOMPILED, SLOWER, table=frame),
    Tried("GaussianNB", imputed(GaussianNB()), UNCOMPILED, SLOWER, table=frame),
    Tried("LinearDiscriminantAnalysis", imputed(LinearDiscriminantAnalysis()), UNCOMPILED, SLOWER, table=frame),
    Tried(
        "QuadraticDiscriminantAnalysis",
        imputed(QuadraticDiscriminantAnalysis(reg_param=0.1)),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried(
        "MLP",
        imputed(StandardScaler(), MLPClassifier((8,), max_iter=30, tol=1e-1, random_state=0)),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried("Stacking", lambda: StackingClassifier(several(), cv=2), UNCOMPILED, SLOWER, table=frame),
    Tried("Voting", lambda: VotingClassifier(several(), voting="soft"), UNCOMPILED, SLOWER, table=frame),
    Tried("Voting, hard", lambda: VotingClassifier(several(), voting="hard"), REFUSED, "no predict_proba", table=frame),
    Tried(
        "calibrated, isotonic",
        lambda: CalibratedClassifierCV(boosted()(), method="isotonic", cv=2),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried(
        "calibrated LinearSVC",
        imputed(StandardScaler(), CalibratedClassifierCV(LinearSVC(), cv=2)),
        UNCOMPILED,
        SLOWER,
        table=frame,
    ),
    Tried("LinearSVC", imputed(StandardScaler(), LinearSVC()), REFUSED, "no predict_proba", table=frame),
    Tried("LinearRegression", imputed(LinearRegression()), REFUSED, "no predict_proba", table=frame),
    Tried("Dummy", lambda: DummyClassifier(strategy="prior"), UNCOMPILED, SLOWER, table=frame),
    Tried(
        "FixedThreshold", lambda: FixedThresholdClassifier(boosted()(), threshold=0.2), UNCOMPILED, SLOWER, table=frame
    ),
    Tried("LightGBM", light(), COMPILED, NO_NAMES),
    Tried("  on reversed columns", light(), COMPILED, table=backwards),
    Tried(
        "  dart, of paid and default, tagged",
        light(boosting_type="dart"),
        COMPILED,
        CLASS,
        table=frame,
        outcome=words,
        default="default",
        tags={"positive_class": "default"},
    ),
    Tried(
        "  forest",
        light(boosting_type="rf", subsample=0.5, subsample_freq=1),
        UNCOMPILED,
        "boosting_type='rf'",
        table=frame,
    ),
    Tried("  imputed", imputed(light()()), UNCOMPILED, "Pipeline ending in LGBM"),
    Tried("  own flavor", light(), COMPILED, table=frame, flavor="lightgbm"),
    Tried("  own flavor, booster alone", light(), COMPILED, table=frame, flavor="lightgbm booster"),
    Tried("  pickled, allowed", light(), COMPILED, table=frame, **PICKLED),
    Tried("XGBoost", extreme(), UNCOMPILED, SLOWER, table=frame),
    Tried("  on an array", extreme(), UNCOMPILED, NO_NAMES),
    Tried("  own flavor, reversed columns", extreme(), UNCOMPILED, SLOWER, table=backwards, flavor="xgboost"),
    Tried("  own flavor, booster alone", extreme(), UNCOMPILED, SLOWER, table=frame, flavor="xgboost booster"),
    Tried("CatBoost", cat, UNCOMPILED, SLOWER, table=frame),
    Tried("  own flavor, reversed columns", cat, UNCOMPILED, SLOWER, table=backwards, flavor="catboost"),
    Tried(
        "  own flavor, of paid and default, tagged",
        cat,
        UNCOMPILED,
        SLOWER,
        table=frame,
        flavor="catboost",
        outcome=words,
        default="default",
        tags={"positive_class": "default"},
    ),
    Tried(
        "pickle of scikit-learn 1.5.2",
        line(SimpleImputer()),
        REFUSED,
        "saved by scikit-learn 1.5.2, read by.*log the model again",
        file="line-1.5.2.pkl",
        **PICKLED,
    ),
    Tried(
        "pickle of scikit-learn 1.6.1",
        line(SimpleImputer()),
        REFUSED,
        "1.6.1, read by.*log the model again",
        file="boosted-1.6.1.pkl",
        **PICKLED,
    ),
]
"""A name that begins with blanks belongs to the one above it."""
