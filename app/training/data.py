"""From a table as it was read to the rows that a model may be trained on, or the reason why not."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from app.errors import DataInvalid
from app.features import FEATURES, TARGET
from app.settings import TrainSettings
from app.tables.checked import read, read_table
from app.tables.find import find_one
from app.tables.rules import Rows, row_numbers
from app.tables.wanted import Wanted
from app.training.sample import synthetic_frame

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SYNTHETIC = "synthetic sample"
TRAINING = Wanted(outcome=True)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows that passed every check, in the order of the file."""

    name: str
    """Path, address or "synthetic sample"."""
    row_numbers: Floats
    """The file's own, or 1, 2, 3… where it has none. Kept for the reference architecture's model only."""
    features: Floats
    """One row an applicant, ten columns in the order of FEATURES, NaN where a value is missing."""
    outcome: Integers
    """1 for a default, else 0."""

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, chosen: Flags) -> "Dataset":
        return Dataset(self.name, self.row_numbers[chosen], self.features[chosen], self.outcome[chosen])

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of features and outcome row by row. Another order of the rows is another digest."""
        content = np.column_stack([self.features, self.outcome])
        return sha256(canonical_bytes(content)).hexdigest()


def canonical_bytes(values: Floats) -> bytes:
    """The same bytes for equal numbers on every machine: one NaN, no negative zero, little-endian."""
    return np.where(np.isnan(values), np.nan, values + 0.0).astype("<f8").tobytes()


def load(train: TrainSettings) -> Dataset:
    """The data that the settings name. Raises DataInvalid naming the column and the lines that are wrong."""
    if not train.data:
        return clean(synthetic_frame(train.seed), SYNTHETIC)
    return _dataset(read(find_one(train.data, train.s3_endpoint_url), TRAINING), train.data)


def clean(frame: pd.DataFrame, name: str) -> Dataset:
    """Validate a table in memory. Columns may be in any order; a nameless first one is the row number.

    Raises DataInvalid with every column that is wrong, the rows' numbers from 1 on and how many there are.
    """
    return _dataset(read_table(pa.Table.from_pandas(frame, preserve_index=False), name, TRAINING), name)


def _dataset(chunks: Iterable[Rows], name: str) -> Dataset:
    """Raises DataInvalid also when no model can be fitted to the rows together."""
    found = list(chunks)
    values = {column: np.concatenate([rows.columns[column].values for rows in found]) for column in TRAINING.numbers}
    features = np.column_stack([values[column] for column in FEATURES])
    outcome = values[TARGET].astype(np.int64)
    for column in np.flatnonzero(np.isnan(features).all(axis=0)):
        raise DataInvalid(f"{name}: column {FEATURES[column]} has no value in any row")
    if outcome.min() == outcome.max():
        raise DataInvalid(f"{name}: column {TARGET} is {outcome[0]} in every row; a model needs both outcomes")
    numbers = [it for rows in found if (it := row_numbers(rows)) is not None]
    own = np.concatenate(numbers) if len(numbers) == len(found) else np.arange(1.0, len(outcome) + 1)
    return Dataset(name, own, features, outcome)
