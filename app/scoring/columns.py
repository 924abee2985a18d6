"""Which factor each input of a model is, by the names that the model itself gives."""

from collections.abc import Sequence

from app.contract.contract import Contract
from app.contract.factors import Factor, identity
from app.errors import ModelRefused

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


def factors_of(columns: Sequence[str] | None, count: int, contract: Contract) -> list[Factor]:
    """The factors that a model's inputs are, in their order.

    Columns called as the contract's factors are these. Columns called as its asked fields are those as they stand; one
    more has to be called as an ignored field is. Without names, as many inputs as there are asked fields are those in
    their order, and as many as there are fields are all of them.
    Raises ModelRefused for any other count or names.
    """
    if columns is not None and len(columns) == count and sorted(columns) == sorted(contract.factor_names):
        return [contract.factors[contract.factor_names.index(name)] for name in columns]
    asked, names = contract.asked_names, contract.names
    if count not in (len(asked), len(names)):
        raise ModelRefused(f"the model takes {count} inputs; the contract offers {len(asked)} or {len(names)} fields")
    if columns is None:
        return [identity(name) for name in (asked if count == len(asked) else names)]
    others = [name for name in columns if name not in asked]
    if len(columns) != count or sorted([*asked, *others]) != sorted(columns):
        raise ModelRefused(f"the model wants the columns {list(columns)}; only {list(asked)} can be given")
    return [identity(name if name in asked else _ignored(name, contract)) for name in columns]


def _ignored(name: str, contract: Contract) -> str:
    for each in contract.fields:
        called = {each.name, *each.columns, *NAMELESS}
        if not each.asked and (name in called or name.lower() in called):
            return each.name
    known = sorted(name for each in contract.fields if not each.asked for name in (each.name, *each.columns))
    raise ModelRefused(
        f"the model wants the column {name!r}, which is no field that is asked for and not called as one that is"
        f" ignored ({', '.join(known) or 'there is none'}); train it on the fields that are asked for alone"
    )


NAMELESS = ("", "Unnamed: 0")
"""What a table's nameless first column, which numbers the rows, is called once it has been read."""
