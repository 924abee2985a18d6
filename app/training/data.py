"""From a table as it was read to the rows that a model may be trained on, or the reason why not."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from app.errors import DataInvalid
from app.features import FEATURES, NAMELESS, NULLABLE, TARGET
from app.settings import TrainSettings
from app.training.sample import synthetic_frame
from app.training.source import read_frame

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SYNTHETIC = "synthetic sample"
ROWS_SHOWN = 5


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
    """The data that the settings name. Raises DataInvalid naming the column and the rows that are wrong."""
    if not train.data:
        return clean(synthetic_frame(train.seed), SYNTHETIC)
    return clean(read_frame(train.data, train.s3_endpoint_url), train.data)


def clean(frame: pd.DataFrame, name: str) -> Dataset:
    """Validate a table. Columns may be in any order; a nameless first one is the row number.

    Raises DataInvalid with every column that is wrong, the rows' numbers and how many there are.
    """
    frame = frame.reset_index(drop=True)
    row_numbers = np.arange(1.0, len(frame) + 1)
    if len(frame.columns) and frame.columns[0] in NAMELESS:
        own = _numbers(frame.iloc[:, 0])
        row_numbers = own.to_numpy() if own.notna().all() else row_numbers
        frame = frame.iloc[:, 1:]
    try:
        _schema().validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        raise DataInvalid(f"{name}: {_sentence(errors.failure_cases, row_numbers)}") from errors
    if frame.empty:
        raise DataInvalid(f"{name} has the right columns and no rows")
    numbers = frame.apply(_numbers)
    features = np.ascontiguousarray(numbers[list(FEATURES)].to_numpy(dtype=np.float64))
    outcome = numbers[TARGET].to_numpy(dtype=np.int64)
    for column in np.flatnonzero(np.isnan(features).all(axis=0)):
        raise DataInvalid(f"{name}: column {FEATURES[column]} has no value in any row")
    if outcome.min() == outcome.max():
        raise DataInvalid(f"{name}: column {TARGET} is {outcome[0]} in every row; a model needs both outcomes")
    return Dataset(name, row_numbers, features, outcome)


def _schema() -> pa.DataFrameSchema:
    checks = [
        _check("is not a number", lambda numbers: numbers.notna()),
        _check("is infinite", lambda numbers: numbers.abs() != np.inf),
        _check("is negative", lambda numbers: ~(numbers < 0)),
    ]
    columns = {name: pa.Column(checks=checks, nullable=name in NULLABLE) for name in FEATURES}
    outcome = [checks[0], _check("is not 0 or 1", lambda numbers: numbers.isin([0, 1]) | numbers.isna())]
    return pa.DataFrameSchema({TARGET: pa.Column(checks=outcome), **columns}, strict=True)


def _check(complaint: str, holds: Callable[["pd.Series[float]"], "pd.Series[bool]"]) -> pa.Check:
    # Raw values, not converted ones: a word among numbers then fails with its row instead of as a whole column.
    return pa.Check(lambda raw: holds(_numbers(raw)) | raw.isna(), error=complaint)


def _numbers(raw: "pd.Series[float]") -> "pd.Series[float]":
    kind = raw.dtype
    readable = (
        pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_string_dtype(kind) or pd.api.types.is_object_dtype(kind)
    )
    # Booleans count as numeric in pandas and dates convert to nanoseconds; neither is what a column promises.
    if not readable or pd.api.types.is_bool_dtype(kind):
        return pd.Series(np.nan, index=raw.index)
    return pd.Series(pd.to_numeric(raw, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan), index=raw.index)


def _sentence(failures: pd.DataFrame, row_numbers: Floats) -> str:
    known = {"not_nullable": "is missing"}
    parts = []
    for case in failures.loc[failures["check"] == "column_in_dataframe", "failure_case"]:
        parts.append(f"column {case} is not there")
    for case in failures.loc[failures["check"] == "column_in_schema", "failure_case"]:
        parts.append(f"column {case} is not known; expected {TARGET} and the ten features")
    rows = failures[failures["index"].notna()]
    for (column, check), found in rows.groupby(["column", "check"], sort=False):
        numbers = row_numbers[np.sort(found["index"].to_numpy(dtype=np.int64))]
        shown = ", ".join(f"{number:.0f}" for number in numbers[:ROWS_SHOWN])
        more = ", …" if len(numbers) > ROWS_SHOWN else ""
        count = "1 row, number" if len(numbers) == 1 else f"{len(numbers)} rows, numbers"
        parts.append(f"column {column} {known.get(str(check), check)} in {count} {shown}{more}")
    # A table can be wrong in a way that none of the above names; then pandera's own words must do.
    return "; ".join(parts) or str(failures.iloc[0].to_dict())
