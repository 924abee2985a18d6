"""Which of a table's columns are the features, the outcome and what tells the rows apart."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.errors import DataInvalid
from app.features import FEATURES, NAMELESS, TARGET


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a table is read for."""

    outcome: bool = False
    """To train on it: the outcome has to be there too, and no column that nobody knows."""
    id_column: str | None = None
    """What tells the rows apart; None for the nameless first column, if there is one."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the columns that have to be numbers."""
        return (*FEATURES, TARGET) if self.outcome else FEATURES


def id_of(names: Sequence[str], wanted: Wanted, passed_over: Collection[str] = ()) -> str | None:
    """Name of the column that tells the rows apart, None when they have nothing but their order.

    passed_over: names that are allowed whatever the table is read for. Raises DataInvalid with all that is wrong with
    the columns.
    """
    own = wanted.id_column or (names[0] if names and names[0] in NAMELESS else None)
    needed = [*wanted.numbers, *([] if own is None else [own])]
    complaints = [f"column {name} is not there" for name in needed if name not in names]
    # A list without a single name that is known is perhaps a row of values, which no message repeats.
    if not set(names) & set(FEATURES):
        begins = "the first line holds none of the columns' names" if names else "it is empty"
        raise DataInvalid("; ".join([begins, *complaints]))
    complaints += [f"column {name or '(nameless)'} is there twice" for name in needed if names.count(name) > 1]
    if wanted.outcome:
        unknown = dict.fromkeys(name for name in names if name not in needed and name not in passed_over)
        expected = f"is not known; expected {TARGET} and the ten features"
        complaints += [f"column {name or '(nameless)'} {expected}" for name in unknown]
    if complaints:
        raise DataInvalid("; ".join(complaints))
    return own
