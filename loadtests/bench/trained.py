"""One model in production in a registry of its own, in every form that a contender needs, and applicants to ask about.

It is trained as any model is: by `credit train`, on the data that the settings name.
"""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

from app.contract_file import load_contract
from app.models.load import load_estimator
from app.models.mlmodel import Saved
from app.models.predicting import Classifier, PredictProba
from app.policy_file import load_policy
from app.scoring.policy import decide
from app.settings import ROOT, WELL_KNOWN, ServingSettings, Settings, load_settings
from app.tables.rules import Floats
from app.training.data import Dataset, load
from scripts.credit import PROGRAM

ROWS = 1000
SEED = 8

Row = Sequence[float | None]
"""The row number, then the ten features; or the factors."""


@dataclass(frozen=True, slots=True)
class Applicants:
    """What is asked in turn, and what has to come out."""

    rows: list[Row]
    factors: list[Row]
    """What the model sees of them, which the servers that have nothing but the model are given."""
    probabilities: list[float]


@dataclass(frozen=True, slots=True)
class Trained:
    """A registry in a folder with one model in production."""

    folder: Path
    data: str
    mlflow_model: Path
    """The model as MLflow keeps it."""
    pickled: Path
    """The estimator alone, by joblib."""
    mix: Applicants
    """As the data have them."""
    accepted: Applicants
    """Those of the mix that the policy accepts."""

    @property
    def environment(self) -> dict[str, str]:
        """For this service: its defaults, but everything that it keeps lies in the folder, but for its cache."""
        return bare_environment() | {
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder / 'mlflow.db'}",
            "AUDIT__JOURNAL_DIR": str(self.folder / "journal"),
            "DATABASE_URI": f"sqlite:///{self.folder / 'decisions.db'}",
        }


def bare_environment() -> dict[str, str]:
    """The environment without what sets this service."""
    return {name: value for name, value in os.environ.items() if name not in WELL_KNOWN and "__" not in name}


def train(folder: Path, data: str | None) -> Trained:
    """data: as the setting train.data, which None takes. Raises SystemExit when no model went into production."""
    settings = load_settings().train
    settings = settings.model_copy(update={"data": settings.data if data is None else data})
    environment = bare_environment() | {
        "DATA": settings.data,
        "MLFLOW_S3_ENDPOINT_URL": settings.s3_endpoint_url,
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
    }
    done = subprocess.run([PROGRAM, "train"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"error: training ended with {done.returncode}: {done.stderr.strip()}\n{done.stdout[-2000:]}")
    mlflow_model = next((folder / "mlartifacts").rglob("MLmodel")).parent
    estimator = load_estimator(mlflow_model / "model.skops", Saved("model.skops", "skops"), ServingSettings())
    pickled = folder / "model.joblib"
    joblib.dump(estimator, pickled)
    mix = _mix(load(Settings(train=settings)), estimator)
    return Trained(folder, settings.data, mlflow_model, pickled, mix, _accepted(mix))


def _mix(dataset: Dataset, estimator: Classifier) -> Applicants:
    chosen = np.random.default_rng(SEED).permutation(len(dataset))[:ROWS]
    numbers, features = dataset.row_numbers[chosen].tolist(), _with_nulls(dataset.features[chosen])
    rows: list[Row] = [[number, *row] for number, row in zip(numbers, features, strict=True)]
    factors = dataset.factors[chosen]
    return Applicants(rows, _with_nulls(factors), PredictProba(estimator).probabilities(factors.tolist()))


def _with_nulls(values: Floats) -> list[Row]:
    return [[None if value != value else value for value in row] for row in values.tolist()]


def _accepted(mix: Applicants) -> Applicants:
    settings = Settings()
    contract, threshold = load_contract(settings), load_policy(settings).threshold
    assert contract.age_position is not None
    chosen = [
        at
        for at, (row, probability) in enumerate(zip(mix.rows, mix.probabilities, strict=True))
        if decide(probability, threshold) == "ACCEPT" and (row[contract.age_position] or 0) >= 18
    ]
    rows, factors = [mix.rows[at] for at in chosen], [mix.factors[at] for at in chosen]
    return Applicants(rows, factors, [mix.probabilities[at] for at in chosen])
