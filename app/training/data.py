"""From a table as it was read to the rows that a model may be trained on, or the reason why not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from app.contract.computed import ComputedFactors, wire_rows
from app.contract.contract import Contract
from app.contract_file import load_contract
from app.errors import DataInvalid
from app.settings import Settings
from app.tables.checked import read, read_table
from app.tables.find import find_one
from app.tables.rules import Rows, row_numbers
from app.tables.wanted import Wanted

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

Texts = npt.NDArray[np.str_]

SYNTHETIC = "synthetic sample"
SAMPLE = Path(__file__).with_name("sample.csv.gz")
"""Made-up applicants under the default contract, to try the system with."""
NOT_STATED = "not stated"
"""The group of an applicant whose cell is empty."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows that passed every check, in the order of the file."""

    contract: Contract
    name: str
    """Path, address or "synthetic sample"."""
    row_numbers: Floats
    """The file's own, or 1, 2, 3… where it has none. Kept for the reference architecture's model only."""
    features: Floats
    """One row an applicant, one column an asked field in the contract's order: NaN where a value is missing, a
    category's code."""
    outcome: Integers
    """1 for a default, else 0."""
    groups: dict[str, Texts] = field(default_factory=dict)
    """What no model sees and reports are by, by the names of the columns."""

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, chosen: Flags) -> "Dataset":
        groups = {name: texts[chosen] for name, texts in self.groups.items()}
        rows = (self.row_numbers[chosen], self.features[chosen], self.outcome[chosen])
        return Dataset(self.contract, self.name, *rows, groups)

    @property
    def wire(self) -> Floats:
        """One wire vector a row."""
        return wire_rows(self.contract, self.features)

    @property
    def factors(self) -> Floats:
        """What a model sees: one row an applicant, one column a factor of the contract."""
        return ComputedFactors(self.contract).matrix(self.wire)

    def column(self, name: str) -> Floats:
        """The values of an asked field."""
        return self.features[:, self.contract.asked_names.index(name)]

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of features and outcome row by row. Another order of the rows is another digest."""
        content = np.column_stack([self.features, self.outcome])
        return sha256(canonical_bytes(content)).hexdigest()


def canonical_bytes(values: Floats) -> bytes:
    """The same bytes for equal numbers on every machine: one NaN, no negative zero, little-endian."""
    return np.where(np.isnan(values), np.nan, values + 0.0).astype("<f8").tobytes()


def load(settings: Settings) -> Dataset:
    """The data that the settings name, under their contract.

    Raises DataInvalid naming the column and the lines that are wrong, and ContractInvalid.
    """
    contract, train = load_contract(settings), settings.train
    wanted = _wanted(contract, train.groups)
    if not train.data:
        return _dataset(read(find_one(str(SAMPLE), ""), wanted), SYNTHETIC, wanted)
    return _dataset(read(find_one(train.data, train.s3_endpoint_url), wanted), train.data, wanted)


def clean(frame: pd.DataFrame, name: str, contract: Contract, groups: Sequence[str] = ()) -> Dataset:
    """Validate a table in memory. Columns may be in any order; a nameless first one is the row number.

    Raises DataInvalid with every column that is wrong, the rows' numbers from 1 on and how many there are.
    """
    wanted = _wanted(contract, groups)
    return _dataset(read_table(_table(frame), name, wanted), name, wanted)


def _table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def _wanted(contract: Contract, groups: Sequence[str]) -> Wanted:
    seen = sorted({*groups} & {*contract.names, contract.outcome.name})
    if seen:
        raise DataInvalid(f"train.groups names {', '.join(seen)}, which the contract has: groups are kept from models")
    return Wanted(contract, outcome=True, groups=tuple(groups))


def _dataset(chunks: Iterable[Rows], name: str, wanted: Wanted) -> Dataset:
    """Raises DataInvalid also when no model can be fitted to the rows together."""
    found, contract = list(chunks), wanted.contract
    values = {column: np.concatenate([rows.columns[column].values for rows in found]) for column in wanted.names}
    features = np.column_stack([values[column] for column in contract.asked_names])
    target = contract.outcome.name
    outcome = values[target].astype(np.int64)
    for at in np.flatnonzero(np.isnan(features).all(axis=0)):
        raise DataInvalid(f"{name}: column {contract.asked_names[at]} has no value in any row")
    if outcome.min() == outcome.max():
        only = contract.outcome.bad if outcome[0] else contract.outcome.good
        raise DataInvalid(f"{name}: column {target} is {only} in every row; a model needs both outcomes")
    numbers = [it for rows in found if (it := row_numbers(rows)) is not None]
    own = np.concatenate(numbers) if len(numbers) == len(found) else np.arange(1.0, len(outcome) + 1)
    groups = {column: np.concatenate([_texts(rows.groups[column]) for rows in found]) for column in wanted.groups}
    return Dataset(contract, name, own, features, outcome, groups)


def _texts(column: pa.Array) -> Texts:
    return np.array(pc.fill_null(pc.utf8_trim_whitespace(column), NOT_STATED).to_pylist(), np.str_)
