"""What a registered model says of itself: the MLmodel file that MLflow writes beside it.

Read here and not by mlflow, which takes seconds to load and has one importer.
"""

import json
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.contract.contract import Contract
from app.errors import ModelRefused, ModelUnavailable
from app.scoring.model import Reference

REFERENCE_FILE = "reference.json"
CONTRACT_FILE = "contract.json"

NUMBERS = ("double", "float", "integer", "long", "boolean")
"""Types of a signature's columns that a number of the wire vector can stand for."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A model's file, and what has to read it."""

    file: str
    """Below the model's folder."""
    serialization: str
    """skops, pickle, cloudpickle, or native for a library's own format."""
    library: str = "scikit-learn"
    version: str = ""
    """Of the library that wrote it."""

    @property
    def versions(self) -> str:
        """Both: of the library that wrote the file, and of the one that reads it."""
        return f"saved by {self.library} {self.version or 'of an unknown version'}, read by {self.installed}"

    @property
    def installed(self) -> str:
        """The version of the library here; "none" when it is not installed."""
        return next((found for name in DISTRIBUTIONS[self.library] if (found := _installed(name))), "none")

    @property
    def is_foreign(self) -> bool:
        """Whether another minor version of the library wrote it."""
        return bool(self.version) and self.version.split(".")[:2] != self.installed.split(".")[:2]

    def to_json(self) -> dict[str, str]:
        return asdict(self)


DISTRIBUTIONS = {
    "scikit-learn": ("scikit-learn",),
    "lightgbm": ("lightgbm",),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "catboost": ("catboost",),
}


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


@dataclass(frozen=True, slots=True)
class Described:
    """An MLmodel file."""

    saved: Saved
    columns: list[str] | None
    """Of its signature, None where that names none."""
    reference: Reference | None
    contract: Contract | None
    """That it was trained under, None where nobody logged one."""


def read_mlmodel(folder: Path, uri: str) -> Described:
    """The description in a model's folder.

    Raises ModelUnavailable when there is none, ModelRefused when it cannot be read or is of no library that is known.
    """
    if not (folder / "MLmodel").exists():
        raise ModelUnavailable(f"{uri} cannot be had: its artifacts hold no MLmodel")
    try:
        model = yaml.safe_load((folder / "MLmodel").read_text())
        saved = _saved(model["flavors"])
        inputs = json.loads((model.get("signature") or {}).get("inputs") or "[]")
        columns = [str(column["name"]) for column in inputs] if all("name" in column for column in inputs) else []
        types = {column["name"]: column["type"] for column in inputs if "name" in column}
        beside = folder / "extra_files"
        path = beside / REFERENCE_FILE
        reference = Reference.from_json(json.loads(path.read_text())) if path.exists() else None
        path = beside / CONTRACT_FILE
        contract = Contract.from_json(json.loads(path.read_text())) if path.exists() else None
    except ValidationError as error:
        raise ModelRefused(f"{uri}: its contract is none that this release reads") from error
    except (yaml.YAMLError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise ModelRefused(f"{uri}: its description cannot be read ({type(error).__name__})") from error
    if saved is None:
        raise ModelRefused(f"{uri} is no scikit-learn model, and none of LightGBM, XGBoost or CatBoost")
    if not (folder / str(saved.file)).resolve().is_relative_to(folder.resolve()):
        raise ModelRefused(f"{uri}: its description names a file outside of the model's folder; log the model again")
    for name, kind in types.items():
        if kind not in NUMBERS:
            raise ModelRefused(f"the model wants the column {name!r} as {kind}; the wire vector holds numbers")
    return Described(saved, columns or None, reference, contract)


def _saved(flavors: dict[str, dict[str, Any]]) -> Saved | None:
    """Of the first flavor that is known. A library's own format says nothing of a serialization."""
    if (found := flavors.get("sklearn")) is not None:
        serialization = found.get("serialization_format", "cloudpickle")
        return Saved(found["pickled_model"], serialization, version=str(found.get("sklearn_version", "")))
    if (found := flavors.get("lightgbm")) is not None:
        estimator = found.get("model_class", "").startswith("lightgbm.sklearn.")
        # Older releases of MLflow wrote no format, and pickled.
        serialization = found.get("serialization_format", "cloudpickle") if estimator else "native"
        return Saved(found["data"], serialization, "lightgbm", str(found.get("lgb_version", "")))
    if (found := flavors.get("xgboost")) is not None:
        return Saved(found["data"], "native", "xgboost", str(found.get("xgb_version", "")))
    if (found := flavors.get("catboost")) is not None:
        return Saved(found["data"], "native", "catboost", str(found.get("catboost_version", "")))
    return None
