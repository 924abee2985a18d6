"""Registers each model of the zoo by hand, pulls it as the server does, and says what became of it.

`python -m tests.support.trying` prints the table of docs/models-tried.md, a row at a time; DATA as in training.
"""

import logging
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import Any

import mlflow
import mlflow.catboost
import mlflow.lightgbm
import mlflow.sklearn
import mlflow.xgboost
import numpy as np
import pandas as pd
import skops.io
from mlflow.models import infer_signature
from threadpoolctl import threadpool_limits

from app.errors import ModelRefused
from app.models.load import UNCOMPILED, load_entry
from app.registry import pull
from app.registry.client import connect
from app.settings import MlflowSettings, ServingSettings, Settings, load_settings
from app.training.data import load
from harness.fields import FEATURES, NULLABLE
from harness.registries import NAME
from tests.support.fakes import DATA
from tests.support.zoo import COMPILED, MODELS, REFUSED, UNCOMPILED as THROUGH_PREDICT_PROBA, Tried

FITTED_ROWS, ASKED_ROWS = 1200, 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one model."""

    becomes: str
    difference: float | None
    """Largest from predict_proba; None of a refused one."""
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class Applicants:
    """Some to fit on and others to ask about."""

    fitted: pd.DataFrame
    defaults: Any
    asked: pd.DataFrame


def applicants(settings: Settings) -> Applicants:
    """Of DATA, or of the synthetic sample."""
    dataset = load(settings)
    chosen = np.random.default_rng(3).permutation(len(dataset))[: FITTED_ROWS + ASKED_ROWS]
    rows = pd.DataFrame(dataset.features[chosen], columns=list(FEATURES), index=np.arange(1, len(chosen) + 1))
    # Whatever the data hold, some of those asked about miss values or have the public file's codes.
    rows.iloc[-40:-20, [FEATURES.index(name) for name in NULLABLE]] = np.nan
    counts = [at for at, name in enumerate(FEATURES) if "PastDue" in name or "Late" in name]
    rows.iloc[-20:-10, counts], rows.iloc[-10:, counts] = 98.0, 96.0
    return Applicants(rows[:FITTED_ROWS], dataset.outcome[chosen][:FITTED_ROWS], rows[FITTED_ROWS:])


def tried(folder: Path, known: Applicants, models: list[Tried] = MODELS) -> Iterator[tuple[Tried, Outcome]]:
    """Each model with its outcome; registry and cache lie in the folder."""
    for model in models:
        settings = Settings(
            mlflow=MlflowSettings(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}"),
            serving=ServingSettings(cache_dir=folder / "cache", cache_versions=1000, **model.settings),
        )
        yield model, _outcome(model, known, settings)


def _outcome(model: Tried, known: Applicants, settings: Settings) -> Outcome:
    # What the libraries warn of while they fit is not what is tried here.
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore")
        outcome = model.outcome(known.defaults)
        estimator = model.make().fit(model.table(known.fitted), outcome)
        uri = _register(model, estimator, known, settings)
    try:
        served = load_entry(pull(uri, settings), settings.serving)
    except ModelRefused as error:
        return Outcome(REFUSED, None, [str(error)])
    # Asked with every row number, so that a model that takes one is given its own.
    found = [served.score([number, *values]) for number, *values in known.asked.itertuples()]
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore")
        positive = list(estimator.classes_).index(model.default)
        expected = estimator.predict_proba(model.table(known.asked))[:, positive]
    becomes = THROUGH_PREDICT_PROBA if served.document.spec["kind"] == UNCOMPILED else COMPILED
    return Outcome(becomes, float(np.abs(np.array(found) - expected).max()), served.document.warnings)


def _register(model: Tried, estimator: Any, known: Applicants, settings: Settings) -> str:
    client = connect(settings)
    options: dict[str, Any] = {"name": "model", "registered_model_name": NAME, "pip_requirements": ["scikit-learn"]}
    if model.signature is not None:
        options["signature"] = infer_signature(model.signature(known.asked))
    flavor, _, booster = model.flavor.partition(" ")
    if flavor == "sklearn":
        options["serialization_format"] = model.serialization
    if flavor == "sklearn" and model.serialization == "skops":
        # Its author trusts what is in it.
        options["skops_trusted_types"] = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    if booster:
        estimator = estimator.booster_ if flavor == "lightgbm" else estimator.get_booster()
    with mlflow.start_run():
        info = getattr(mlflow, flavor).log_model(estimator, **options)
    number = str(info.registered_model_version)
    for name, value in model.tags.items():
        client.set_model_version_tag(NAME, number, name, value)
    if model.file:
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/{number}"))
        release = model.file.removesuffix(".pkl").rpartition("-")[2]
        (folder / "model.pkl").write_bytes((DATA / "pickles" / model.file).read_bytes())
        text = (folder / "MLmodel").read_text()
        (folder / "MLmodel").write_text(re.sub(r"sklearn_version: .*", f"sklearn_version: {release}", text))
    return f"models:/{NAME}/{number}"


def main() -> int:
    logging.disable(logging.WARNING)
    versions = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "lightgbm", "xgboost-cpu", "catboost"))
    say = sys.stdout.write
    say("# Models that were tried\n\n")
    say("Each was registered by hand under the served name and pulled as the server pulls. The difference is the\n")
    say(f"largest from the fitted model's own `predict_proba` on {ASKED_ROWS} applicants that it was not fitted on.\n")
    say(f"Made with {versions} by\n")
    say("`python -m tests.support.trying`, and held by `tests/system/test_model_zoo.py`.\n\n")
    say("| Model | Served | Difference | What is said |\n|---|---|---|---|\n")
    with TemporaryDirectory() as folder:
        for model, outcome in tried(Path(folder), applicants(load_settings())):
            difference = "" if outcome.difference is None else f"{outcome.difference:.0e}".replace("0e+00", "0")
            said = shorten(". ".join(outcome.sentences), 240, placeholder=" …").replace("|", "\\|")
            name = model.what.replace("  ", "… ", 1) if model.what.startswith("  ") else model.what
            say(f"| {name} | {outcome.becomes} | {difference} | {said} |\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
