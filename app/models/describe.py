"""A downloaded model -> its document, by the model's own words about itself; where those are silent or contradict
each other, a refusal that says what to do. Nothing is guessed.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.contract.contract import Contract
from app.errors import ModelRefused, NotCompilable
from app.models.boosters import require_probabilities
from app.models.load import UNCOMPILED, load_estimator
from app.models.mlmodel import Described, Saved, read_mlmodel
from app.models.predicting import Classifier, PredictProba, words_of
from app.models.proof import compiled_difference, prove
from app.scoring.classes import positive_index
from app.scoring.columns import factors_of, names_of
from app.scoring.forms.extract import Spec, extract
from app.scoring.model import Identity, ModelDocument
from app.settings import ServingSettings

DEFAULTS = (None, "auto", "deprecated", "warn")
"""Values with which a parameter that has since been removed meant nothing."""

ROUNDING = 1e-12
"""A table's columns lie in memory otherwise than an array's, and may be added in another order."""

log = logging.getLogger(__name__)


def document_of(
    folder: Path,
    identity: Identity,
    figures: dict[str, float],
    positive_class: str,
    settings: ServingSettings,
    contract: Contract,
) -> ModelDocument:
    """The document of the model in a folder, proven.

    positive_class: the version's own tag, empty without one. contract: the service's, for a model that has none of its
    own.
    Raises ModelUnavailable when there is no model in it, ModelRefused when it must not be served.
    """
    described = read_mlmodel(folder, identity.uri)
    saved = described.saved
    classifier = load_estimator(folder / saved.file, saved, settings)
    require_probabilities(classifier)
    try:
        found = _found(classifier, described, positive_class, settings.positive_class, described.contract or contract)
    except ModelRefused as error:
        raise ModelRefused(f"{error} ({saved.versions})") if saved.is_foreign else error from None
    except MemoryError:
        raise
    except Exception as error:  # what another release saved may lack anything that it is asked about
        raise ModelRefused(
            f"the model cannot be asked about itself ({saved.versions}: {words_of(error)});"
            f" log the model again with {saved.library} {saved.installed}"
        ) from error
    if saved.is_foreign:
        found.told.append(f"the model was {saved.versions}, which may compute otherwise")
    for sentence in found.told:
        log.warning("%s: %s", identity.uri, sentence)
    return ModelDocument(
        identity, found.contract, found.spec, described.reference, figures, found.named, warnings=found.told
    )


@dataclass(frozen=True, slots=True)
class _Found:
    contract: Contract
    spec: Spec
    named: str
    """The positive class, where it had to be named."""
    told: list[str]


def _found(classifier: Classifier, described: Described, tag: str, setting: str, contract: Contract) -> _Found:
    """What the classifier and its description say together, proven."""
    _refuse_removed_parameters(classifier, described.saved)
    positive, named = positive_index(_classes(classifier), tag, setting)
    fitted = _fitted_names(classifier)
    names = names_of(described.columns, fitted)
    own = contract.with_factors(factors_of(names, _input_count(classifier, fitted or names), contract))
    predict = PredictProba(classifier, positive, fitted if fitted == names else None)
    inputs = prove(predict, own, described.reference)
    if predict.names is not None and _are_spared(predict, inputs):
        predict = PredictProba(classifier, positive)
    told = []
    if names is None:
        told.append(f"the model names no columns: its {len(own.factors)} inputs are taken in the wire vector's order")
    if named:
        told.append(f"the class {named!r} counts as default, because the model's own classes do not say which does")
    spec, why = _form(predict, inputs)
    if spec is None:
        told.append(f"served through predict_proba, which takes longer: {why}")
        spec = {"kind": UNCOMPILED, "positive": positive, "names": predict.names, **described.saved.to_json()}
    return _Found(own, spec, named, told)


def _form(predict: PredictProba, inputs: list[list[float]]) -> tuple[Spec | None, str]:
    """The compiled form that is proven, or why there is none."""
    try:
        spec = extract(predict.classifier, predict.positive)
        difference = compiled_difference(predict, spec, inputs)
    except NotCompilable as error:
        return None, str(error)
    return (spec, "") if difference is None else (None, f"the compiled form failed its proof: {difference}")


def _classes(classifier: Classifier) -> list[Any]:
    classes = getattr(classifier, "classes_", None)
    if classes is None:
        raise ModelRefused(f"{type(classifier).__name__} does not say which classes it knows (classes_)")
    return [each.item() if hasattr(each, "item") and not getattr(each, "shape", ()) else each for each in classes]


def _fitted_names(classifier: Classifier) -> list[str] | None:
    """As the estimator keeps them; CatBoost and older releases of LightGBM under names of their own."""
    for attribute in ("feature_names_in_", "feature_names_", "feature_name_"):
        names = getattr(classifier, attribute, None)
        if names is not None:
            return [str(name) for name in names]
    return None


def _input_count(classifier: Classifier, names: list[str] | None) -> int:
    # CatBoost forgets the number when a model is read, and keeps the names, if only numbers as names.
    if count := getattr(classifier, "n_features_in_", None):
        return int(count)
    if names is not None:
        return len(names)
    raise ModelRefused(f"{type(classifier).__name__} does not say how many inputs it takes (n_features_in_)")


def _are_spared(predict: PredictProba, inputs: list[list[float]]) -> bool:
    """Whether an array gives the same as a table with names, which takes a millisecond to make."""
    try:
        without = PredictProba(predict.classifier, predict.positive).probabilities(inputs)
    except Exception:  # the classifier looks its columns up by their names
        return False
    pairs = zip(without, predict.probabilities(inputs), strict=True)
    return all(abs(one - other) <= ROUNDING for one, other in pairs)


def _refuse_removed_parameters(classifier: Any, saved: Saved) -> None:
    """A parameter of the release that saved the model, and of none since, would be passed over in silence."""
    if not saved.is_foreign or not hasattr(classifier, "get_params"):
        return
    for part in (classifier, *classifier.get_params(deep=True).values()):
        if not type(part).__module__.startswith("sklearn.") or not hasattr(part, "get_params"):
            continue
        new = type(part)(**part.get_params(deep=False))
        for name in sorted(vars(part).keys() - vars(new).keys()):
            value = vars(part)[name]
            if not name.startswith("_") and not name.endswith("_") and value not in DEFAULTS:
                raise ModelRefused(
                    f"{type(part).__name__}({name}={value!r}) means nothing any more ({saved.versions});"
                    f" log the model again with {saved.library} {saved.installed}"
                )
