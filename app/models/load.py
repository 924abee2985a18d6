"""Fitted classifiers from files, after a check of what the files may contain.

scikit-learn and skops are imported where they are used: a model that compiles never needs them.
"""

import warnings
from pathlib import Path
from typing import Any

from app.errors import ModelRefused
from app.extras import BOOSTERS, MODELS, not_installed
from app.models.boosters import read_native
from app.models.cache import read_entry
from app.models.mlmodel import Saved
from app.models.predicting import Classifier, PredictProba, words_of
from app.scoring.model import ModelDocument, ScoringModel
from app.settings import ServingSettings

MODEL_FOLDER = "model"
UNCOMPILED = "uncompiled"

TRUSTED_TYPES: tuple[str, ...] = (
    "catboost.core.CatBoostClassifier",
    "collections.OrderedDict",
    "functools.partial",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "numpy.dtype",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils.validation.check_array",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
)
"""Beyond the types that skops trusts by itself. Each only holds numbers, or calls what is trusted by its own name; none
runs code when it is made."""


def load_estimator(path: Path, saved: Saved, settings: ServingSettings) -> Classifier:
    """The estimator in a file.

    A pickle runs its author's code, so that it needs settings.allow_pickle.
    Raises ModelRefused naming the types that are not trusted, or what else is wrong with the file, with the library's
    own words and both versions.
    """
    if saved.serialization not in ("skops", "native") and not settings.allow_pickle:
        raise ModelRefused(
            f"the model is saved with {saved.serialization}, which runs code when it is read; log it with skops,"
            " or set serving.allow_pickle where you trust every author of the registry"
        )
    try:
        with warnings.catch_warnings():
            # Of a library's other version; the document says it of the versions themselves.
            warnings.simplefilter("ignore")
            return _checked(_read(path, saved, settings))
    except (ModelRefused, MemoryError):
        raise
    except ModuleNotFoundError as error:
        raise ModelRefused(_not_installed(saved, error)) from error
    except Exception as error:  # a damaged file can fail in any way, and so can one of another version
        raise ModelRefused(
            f"{path.name} is not a readable {saved.serialization} file ({saved.versions}: {words_of(error)});"
            f" log the model again with {saved.library} {saved.installed}"
        ) from error


def _read(path: Path, saved: Saved, settings: ServingSettings) -> Any:
    if saved.serialization == "native":
        return read_native(path, saved.library)
    if saved.serialization != "skops":
        import cloudpickle

        with path.open("rb") as file:
            return cloudpickle.load(file)
    import skops.io

    trusted = {*TRUSTED_TYPES, *settings.trusted_types}
    untrusted = sorted(set(skops.io.get_untrusted_types(file=path)) - trusted)
    if untrusted:
        raise ModelRefused(
            f"the model holds types that are not trusted: {', '.join(untrusted)};"
            " name them in serving.trusted_types where you know that they run no code of a stranger's"
        )
    return skops.io.load(path, trusted=sorted(trusted))


def _not_installed(saved: Saved, error: ModuleNotFoundError) -> str:
    name = str(error.name).split(".")[0]
    if name in BOOSTERS:
        version = f" {saved.version}" if name == saved.library and saved.version else ""
        return f"the model needs {name}{version}, which is not installed; install this project's extra boosting"
    if name in MODELS:
        return f"the model's own files are needed to serve it, and {not_installed(error)}"
    remedy = f"with {saved.library} {saved.installed}" if saved.is_foreign else "without a module of its author's own"
    needed = f"the model needs the module {error.name!r}, which is not there ({saved.versions})"
    return f"{needed}; log the model again {remedy}"


def _checked(estimator: Any) -> Classifier:
    if not hasattr(estimator, "predict_proba"):
        raise ModelRefused(f"{type(estimator).__name__} gives no probabilities: it has no predict_proba")
    classifier: Classifier = estimator
    return classifier


def load_entry(entry: Path, settings: ServingSettings) -> ScoringModel:
    """The model of a cache entry, compiled when it can be.

    Raises ModelRefused when a file of the entry is not what was pulled.
    """
    document = read_entry(entry)
    if document.spec["kind"] != UNCOMPILED:
        return ScoringModel.compiled(document)
    predict = _uncompiled(entry, document, settings)
    return ScoringModel(document, lambda inputs: predict.probabilities([inputs])[0])


def _uncompiled(entry: Path, document: ModelDocument, settings: ServingSettings) -> PredictProba:
    spec = document.spec
    # An older release wrote no more than the first two, of scikit-learn's estimators without names.
    saved = Saved(spec["file"], spec["serialization"], spec.get("library", "scikit-learn"), spec.get("version", ""))
    classifier = load_estimator(entry / MODEL_FOLDER / saved.file, saved, settings)
    return PredictProba(classifier, spec.get("positive", 1), spec.get("names"))
