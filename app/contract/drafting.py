"""A first draft of a contract from a table, for a person to finish: types, ranges, what is missing, categories."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.contract.fields import MOST_VALUES
from app.errors import DataInvalid

SEPARATORS = ",;\t|"
MISSING = ("", "NA")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
MOST_ROWS = 100_000
FEW_VALUES = 50
"""Texts with more values than that are no category but something else, such as names."""
BAD_WORDS = ("1", "bad", "yes", "true", "default", "defaulted")
OUTCOME_NAMES = ("target", "label", "outcome", "default", "class", "y")

HEAD = """\
# A draft of what an application is, made from {name}. Before a model is trained with it, a person has to settle:
#   - which of the two outcomes is bad;
#   - what each field means (description, unit), and what callers may send (minimum, maximum, values);
#   - which of them a model may see at all: leave out the factor of any other;
#   - which way the risk may move with each factor (risk: rises, falls or free);
#   - words such as null and nan, which are no missing cells here (an empty cell and NA are);
#   - how a value that is missing reads, so that nobody gains by leaving it out, as in
#     expression: "0 if missing(income) else income".
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was drafted."""

    contract: dict[str, Any]
    name: str

    def to_json(self) -> dict[str, Any]:
        return self.contract

    def __str__(self) -> str:
        text: str = yaml.safe_dump(self.contract, sort_keys=False, allow_unicode=True, width=110)
        return HEAD.format(name=self.name) + text.rstrip()


def draft(path: Path, outcome: str, bad: str) -> Draft:
    """From a CSV file.

    outcome: the column that says how it ended; empty where its name says so itself. bad: what stands there for who
    defaulted; empty where the two values say so themselves.

    Raises DataInvalid with the remedy.
    """
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
        separator = max(SEPARATORS, key=first.count)
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, nrows=MOST_ROWS, sep=separator, encoding="utf-8-sig"
        )
    except (OSError, ValueError) as error:
        raise DataInvalid(f"{path}: it cannot be read as CSV ({' '.join(str(error).split())[:200]})") from error
    table.columns = [str(name).strip() for name in table.columns]
    target = _outcome_of(list(table.columns), outcome, path)
    values = {name: [text.strip() for text in table[name]] for name in table.columns}
    fields = [_field(name or "row_number", values[name]) for name in table.columns if name != target]
    if odd := [it["name"] for it in fields if "`" in it["name"] or fields.count(it) > 1]:
        raise DataInvalid(f"{path}: a field cannot be called {odd[0]!r}; rename that column")
    factors = [{"name": it["name"], "expression": f"`{it['name']}`"} for it in fields if it["type"] != "ignored"]
    if not factors:
        raise DataInvalid(f"{path}: no column beside {target} can be a field")
    found = {"outcome": {"name": target, **_outcome_values(values[target], target, bad, path)}, "fields": fields}
    return Draft({**found, "factors": factors}, path.name)


def _outcome_of(columns: list[str], wanted: str, path: Path) -> str:
    if wanted:
        if wanted not in columns:
            raise DataInvalid(f"{path}: there is no column {wanted}; there are {', '.join(columns)}")
        return wanted
    known = [name for name in columns if name.lower() in OUTCOME_NAMES]
    if len(known) != 1:
        raise DataInvalid(f"{path}: name the column that says how it ended with --outcome: {', '.join(columns)}")
    return known[0]


def _outcome_values(texts: list[str], name: str, bad: str, path: Path) -> dict[str, Any]:
    known = sorted(set(texts))
    if any(text in MISSING for text in known):
        raise DataInvalid(f"{path}: column {name} has empty cells; leave out applicants whose outcome is not known")
    if len(known) != 2:
        raise DataInvalid(f"{path}: column {name} has {len(known)} values; an outcome has two")
    found = [text for text in known if (text == bad if bad else text.lower() in BAD_WORDS)]
    if len(found) != 1 or (found == ["1"] and not bad and known != ["0", "1"]):
        raise DataInvalid(f"{path}: column {name} holds {known[0]} and {known[1]}; name the bad one with --bad")
    (good,) = [text for text in known if text not in found]
    return {"bad": _plain(found[0]), "good": _plain(good)}


def _plain(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text


def _field(name: str, texts: list[str]) -> dict[str, Any]:
    present = [text for text in texts if text not in MISSING]
    nullable = {"nullable": True} if len(present) < len(texts) else {}
    numbers = _numbers(present)
    if numbers is None:
        values = sorted(set(present))
        if not 2 <= len(values) <= min(FEW_VALUES, MOST_VALUES):
            return {"name": name, "type": "ignored", "description": f"{len(values)} texts, no category.", "example": 0}
        return {
            "name": name,
            "type": "category",
            **nullable,
            "values": values,
            "example": max(values, key=present.count),
        }
    if _counts_rows(numbers) and not nullable:
        return {"name": name, "type": "ignored", "description": "It numbers the rows.", "example": 0}
    kind = "integer" if all(number.is_integer() for number in numbers) else "number"
    least = {"minimum": 0} if numbers and min(numbers) >= 0 else {}
    middle = sorted(numbers)[len(numbers) // 2] if numbers else 0.0
    return {"name": name, "type": kind, **nullable, **least, "example": int(middle) if kind == "integer" else middle}


def _numbers(texts: list[str]) -> list[float] | None:
    return [float(text) for text in texts] if all(NUMBER.fullmatch(text) for text in texts) else None


def _counts_rows(numbers: list[float]) -> bool:
    return len(numbers) > 2 and all(after - before == 1 for before, after in zip(numbers, numbers[1:], strict=False))
