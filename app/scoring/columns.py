"""Which wire position each input of a model takes, by the names that the model itself gives."""

from collections.abc import Sequence

from app.errors import ModelRefused
from app.features import FEATURES, POSITIONS, ROW_NUMBER_NAMES

PLACEHOLDERS = ("{}", "x{}", "f{}", "Column_{}")
"""What libraries call the columns of a table without names, by the column's place."""


def names_of(signature: Sequence[str] | None, fitted: Sequence[str] | None) -> list[str] | None:
    """The names of a model's inputs in their order, None when nothing names them.

    signature: from the model's signature. fitted: of the table that the estimator was fitted on.
    Raises ModelRefused when the two contradict each other.
    """
    found = [list(names) for names in (signature, fitted) if names is not None and not _are_places(names)]
    if len(found) == 2 and found[0] != found[1]:
        raise ModelRefused(
            f"the model's signature has the columns {found[0]}, and it was fitted on {found[1]};"
            " log it again with the signature of the table that it was fitted on"
        )
    return found[0] if found else None


def _are_places(names: Sequence[str]) -> bool:
    return any(list(names) == [form.format(place) for place in range(len(names))] for form in PLACEHOLDERS)


def positions_of(columns: Sequence[str] | None, count: int) -> list[int]:
    """Wire positions for a model's inputs.

    Named columns are looked up by name; an eleventh has to be called as row numbers are. Without names, ten inputs
    are positions 1 to 10 and eleven are all.
    Raises ModelRefused for any other count or names.
    """
    if count not in (len(FEATURES), len(POSITIONS)):
        raise ModelRefused(
            f"the model takes {count} inputs; the wire vector offers {len(FEATURES)} or {len(POSITIONS)}"
        )
    if columns is None:
        return list(range(len(POSITIONS) - count, len(POSITIONS)))
    others = [name for name in columns if name not in FEATURES]
    if len(columns) != count or sorted([*FEATURES, *others]) != sorted(columns):
        raise ModelRefused(f"the model wants the columns {list(columns)}; only {list(FEATURES)} can be given")
    if not all(_numbers_rows(name) for name in others):
        raise ModelRefused(
            f"the model wants the column {others[0]!r}, which is no feature and not called as a row number is"
            f" ({', '.join(sorted(name for name in ROW_NUMBER_NAMES if name))}); train it on the features alone"
        )
    return [POSITIONS.index(name) if name in FEATURES else 0 for name in columns]


def _numbers_rows(name: str) -> bool:
    return name in ROW_NUMBER_NAMES or name.lower() in ROW_NUMBER_NAMES
