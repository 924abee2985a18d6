"""Outcomes as a lender's file gives them, a line each."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.audit.store.lookup import canonical_id
from app.contract.contract import Contract
from app.errors import OutcomesInvalid

COLUMNS = ("decision_id", "application_id", "outcome", "observed")
MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Given:
    """One outcome of a file."""

    line: int
    decision_id: str | None
    application_id: str | None
    """One of the two is given."""
    bad: int
    """1 for a default, else 0."""
    observed: str
    """The day, as 2026-01-31."""


class Faults:
    """What is wrong with a file, by line; the first ones are told. place: what its lines are called."""

    def __init__(self, name: str, place: str = "line") -> None:
        self._name = name
        self.place = place
        self._told: list[str] = []
        self._count = 0

    def add(self, line: int, sentence: str) -> None:
        self._count += 1
        if len(self._told) < MOST_FAULTS:
            self._told.append(f"{self.place} {line}: {sentence}")

    def refuse(self) -> None:
        """Raises OutcomesInvalid where there are any."""
        if self._count:
            more = f"; and {self._count - len(self._told)} more" if self._count > len(self._told) else ""
            raise OutcomesInvalid(f"{self._name}, of which nothing was taken: {'; '.join(self._told)}{more}")


def read_given(path: Path, contract: Contract) -> list[Given]:
    """Of a CSV file with a heading: decision_id or application_id, outcome as the contract has it, and observed.

    Raises OutcomesInvalid with every line that is wrong; no value is repeated.
    """
    faults = Faults(path.name)
    with _reading(path) as reader:
        _require_columns(path, reader.fieldnames or [])
        found = [given for row in reader if (given := _read(reader.line_num, row, contract, faults)) is not None]
    faults.refuse()
    return found


@contextmanager
def _reading(path: Path) -> Iterator["csv.DictReader[str]"]:
    """The lines of a CSV file by its heading. Raises OutcomesInvalid, also for what is found while they are read."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield csv.DictReader(file, strict=True)
    except OSError as error:
        raise OutcomesInvalid(f"{path} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise OutcomesInvalid(f"{path} is no CSV file in UTF-8 ({type(error).__name__}); save it as one") from error


def _require_columns(path: Path, names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in COLUMNS[2:] if name not in names]
    if not {*COLUMNS[:2]} & {*names}:
        missing.append("decision_id or application_id")
    for what, found in (("lacks", missing), ("has no use for", unknown)):
        if found:
            raise OutcomesInvalid(f"{path.name} {what} the columns {', '.join(found)}; it takes {', '.join(COLUMNS)}")


def _read(line: int, row: dict[str, str | None], contract: Contract, faults: Faults) -> Given | None:
    if None in row or None in row.values():
        faults.add(line, "it has more or fewer values than the heading")
        return None
    return given_of(line, {name: value or "" for name, value in row.items()}, contract, faults)


def given_of(line: int, row: dict[str, str], contract: Contract, faults: Faults) -> Given | None:
    """One outcome from its texts by column; None for one that is wrong, which the faults have."""
    told = {name: value.strip() for name, value in row.items()}
    key, application = told.get("decision_id") or None, told.get("application_id") or None
    decision_id, bad = canonical_id(key or ""), outcome_of(told["outcome"], contract)
    wrong = []
    if (key is None) == (application is None):
        wrong.append("it must have a decision_id or an application_id, and not both")
    if key is not None and decision_id is None:
        wrong.append("decision_id is no id of a decision")
    if bad is None:
        wrong.append(f"outcome must be {contract.outcome.bad} or {contract.outcome.good}")
    if not _is_day(told["observed"]):
        wrong.append("observed must be a day such as 2026-01-31")
    for sentence in wrong:
        faults.add(line, sentence)
    return None if wrong or bad is None else Given(line, decision_id, application, bad, told["observed"])


def read_groups(path: Path) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Of a CSV file with application_id and one column or more: the names of those, and their texts by application.

    An empty cell is a group of its own. Raises OutcomesInvalid.
    """
    faults = Faults(path.name)
    found: dict[str, tuple[str, ...]] = {}
    with _reading(path) as reader:
        names = tuple(name for name in reader.fieldnames or () if name != "application_id")
        if not names or "application_id" not in (reader.fieldnames or ()):
            raise OutcomesInvalid(f"{path.name} must have the column application_id, and one for each kind of group")
        for row in reader:
            application = (row["application_id"] or "").strip()
            if None in row or None in row.values() or not application:
                faults.add(reader.line_num, "it has more or fewer values than the heading, or no application_id")
            elif application in found:
                faults.add(reader.line_num, "its application_id is in an earlier line too")
            else:
                found[application] = tuple((row[name] or "").strip() or "not stated" for name in names)
    faults.refuse()
    return names, found


def outcome_of(text: str, contract: Contract) -> int | None:
    """1 for the contract's bad value, 0 for its good one, None for any other text."""
    for value, bad in ((contract.outcome.bad, 1), (contract.outcome.good, 0)):
        if text == str(value) or (isinstance(value, int) and text == f"{value}.0"):
            return bad
    return None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
