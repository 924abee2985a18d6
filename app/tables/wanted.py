"""Which of a table's columns are the fields, the outcome, groups, and what tells the rows apart."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.contract.contract import Contract
from app.errors import DataInvalid

NAMELESS = ("", "Unnamed: 0")
"""What a file's nameless first column, the row number, is called once it has been read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a table is read for."""

    contract: Contract
    """Whose asked fields have to be there."""
    outcome: bool = False
    """To train on it: the outcome has to be there too, and no column that nobody knows."""
    id_column: str | None = None
    """What tells the rows apart; None for the nameless first column, if there is one."""
    groups: tuple[str, ...] = ()
    """Columns that are read as text, for reports about groups of applicants."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns whose values become numbers."""
        asked = self.contract.asked_names
        return (*asked, self.contract.outcome.name) if self.outcome else asked

    def texts(self, name: str) -> Sequence[str] | None:
        """The texts that a column may hold, each standing for the number that is its place; None for numbers."""
        outcome = self.contract.outcome
        if name == outcome.name:
            return None if (outcome.good, outcome.bad) == (0, 1) else (str(outcome.good), str(outcome.bad))
        return next(each.values for each in self.contract.asked if each.name == name) or None


def id_of(names: Sequence[str], wanted: Wanted, passed_over: Collection[str] = ()) -> str | None:
    """Name of the column that tells the rows apart, None when they have nothing but their order.

    passed_over: names that are allowed whatever the table is read for. Raises DataInvalid with all that is wrong with
    the columns.
    """
    contract = wanted.contract
    own = wanted.id_column or (names[0] if names and names[0] in NAMELESS else None)
    needed = [*wanted.names, *wanted.groups, *([] if own is None else [own])]
    complaints = [f"column {name} is not there" for name in needed if name not in names]
    # A list without a single name that is known is perhaps a row of values, which no message repeats.
    if not set(names) & set(contract.asked_names):
        begins = "the first line holds none of the columns' names" if names else "it is empty"
        raise DataInvalid("; ".join([begins, *complaints]))
    complaints += [f"column {name or '(nameless)'} is there twice" for name in needed if names.count(name) > 1]
    if wanted.outcome:
        ignored = {each.name for each in contract.fields if not each.asked}
        known = {*needed, *passed_over, *ignored}
        unknown = dict.fromkeys(name for name in names if name not in known)
        expected = f"is not known; expected {contract.outcome.name} and the {len(contract.asked)} fields"
        complaints += [f"column {name or '(nameless)'} {expected}" for name in unknown]
    if complaints:
        raise DataInvalid("; ".join(complaints))
    return own
