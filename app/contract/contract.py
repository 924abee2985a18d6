"""The contract: the fields of an application in wire order, the factors of a model, and the outcome in a file."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache, cached_property
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field as Limits, TypeAdapter
from pydantic.dataclasses import dataclass

from app.contract.expressions import Expression, ExpressionInvalid, parse
from app.contract.factors import MISSING, SIDES, Factor
from app.contract.fields import STRICT, Field, Name, Value

VERSION_DIGITS = 12


Fault = tuple[tuple[str | int, ...], str]
"""Where in the file something is wrong, and what."""


class ContractFaults(ValueError):
    """All that is wrong with a contract that has the right shape."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(sentence for _, sentence in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, config=STRICT)
class OutcomeColumn:
    """The column of a training file that says how it ended."""

    name: Name
    bad: int | str = 1
    """What stands there for an applicant who defaulted."""
    good: int | str = 0
    description: Annotated[str, Limits(max_length=300)] = ""


@dataclass(frozen=True, config=STRICT)
class Contract:
    """Two contracts of the same content have the same version."""

    outcome: OutcomeColumn
    fields: Annotated[tuple[Field, ...], Limits(min_length=1, max_length=500)]
    factors: Annotated[tuple[Factor, ...], Limits(min_length=1, max_length=500)]
    age: str | None = None
    """The field that holds the applicant's age in years, where there is one."""

    def __post_init__(self) -> None:
        if faults := [*self._faults()]:
            raise ContractFaults(faults)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Contract":
        """Raises pydantic's ValidationError with every place that is wrong."""
        # Through JSON, because only there does the strict validation take lists and mappings for what they describe.
        return _adapter().validate_json(json.dumps(document, default=str))

    def to_json(self) -> dict[str, Any]:
        """The content, as a contract file holds it."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found

    @cached_property
    def version(self) -> str:
        """The first digits, in hex, of the SHA-256 of the content."""
        content = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return sha256(content.encode()).hexdigest()[:VERSION_DIGITS]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the fields, in wire order, those that are ignored included."""
        return tuple(each.name for each in self.fields)

    @cached_property
    def asked(self) -> tuple[Field, ...]:
        """The fields that are values of the applicant, in wire order."""
        return tuple(each for each in self.fields if each.asked)

    @cached_property
    def asked_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.asked)

    @cached_property
    def asked_positions(self) -> tuple[int, ...]:
        """Wire positions of the asked fields."""
        return tuple(at for at, each in enumerate(self.fields) if each.asked)

    @cached_property
    def nullable(self) -> frozenset[str]:
        """Names of the fields that may be missing."""
        return frozenset(each.name for each in self.fields if each.nullable)

    @cached_property
    def factor_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.factors)

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """Of the factors."""
        return tuple(parse(each.expression, self._by_name) for each in self.factors)

    @cached_property
    def categories(self) -> tuple[tuple[str, ...], ...]:
        """Of each factor the values that its codes stand for; empty for one that is a number."""
        roots = (expression.root for expression in self.expressions)
        return tuple(root.field.values if root.kind == "category" and root.field else () for root in roots)

    @cached_property
    def age_position(self) -> int | None:
        """Wire position of the age."""
        return None if self.age is None else self.names.index(self.age)

    @cached_property
    def about_age(self) -> tuple[bool, ...]:
        """Of each factor whether it reads the age."""
        return tuple(self.age in expression.reads for expression in self.expressions)

    @cached_property
    def explained(self) -> tuple[bool, ...]:
        """Of each factor whether it can be a reason: not what reads ignored fields alone."""
        asked = set(self.asked_names)
        return tuple(bool(asked & expression.reads) for expression in self.expressions)

    @cached_property
    def reads_ignored(self) -> bool:
        """Whether a factor reads what is ignored, such as a row's number."""
        asked = set(self.asked_names)
        return any(expression.reads - asked for expression in self.expressions)

    def condition(self, text: str) -> Expression:
        """A condition over the fields. Raises ExpressionInvalid."""
        found = parse(text, self._by_name)
        if found.root.kind != "condition":
            raise ExpressionInvalid(f"{text!r} is no condition; write a comparison or missing(…)")
        return found

    def with_factors(self, factors: Sequence[Factor]) -> "Contract":
        """The same fields with other factors."""
        return Contract(self.outcome, self.fields, tuple(factors), self.age)

    def vector(self, values: Sequence[Value]) -> list[float]:
        """The wire vector for the values of the asked fields in their order; what is ignored is 0."""
        found = [0.0] * len(self.fields)
        for at, each, value in zip(self.asked_positions, self.asked, values, strict=True):
            found[at] = each.encoded(value)
        return found

    def values(self, vector: Sequence[float]) -> list[Value]:
        """The values of the asked fields, as JSON has them, from a wire vector."""
        if not self._has_categories:
            chosen = [vector[at] for at in self.asked_positions]
            return [None if value != value else value for value in chosen]
        return [self.fields[at].decoded(vector[at]) for at in self.asked_positions]

    def difference(self, other: "Contract") -> str:
        """What the other asks for otherwise, as a sentence; empty when callers need not know which of the two it is."""
        if self.names != other.names:
            return f"it asks for the fields {', '.join(other.names)}; the service has {', '.join(self.names)}"
        for mine, its in zip(self.fields, other.fields, strict=True):
            for name in ("type", "values", "nullable", "minimum", "maximum"):
                if getattr(mine, name) != getattr(its, name):
                    return f"its field {its.name} has {name} {_shown(getattr(its, name))}; the service has " + _shown(
                        getattr(mine, name)
                    )
        return ""

    @cached_property
    def _has_categories(self) -> bool:
        return any(each.type == "category" for each in self.fields)

    @cached_property
    def _by_name(self) -> dict[str, tuple[int, Field]]:
        return {each.name: (at, each) for at, each in enumerate(self.fields)}

    def _faults(self) -> Iterator[Fault]:
        for kind, names in (("fields", [*self.names, self.outcome.name]), ("factors", self.factor_names)):
            for name, count in Counter(names).items():
                if count > 1:
                    at = len(names) - 1 - names[::-1].index(name)
                    place = (kind, at) if at < len(getattr(self, kind)) else ("outcome", "name")
                    yield place, f"the {kind.removesuffix('s')} {name} is named {count} times"
        for at, each in enumerate(self.fields):
            yield from ((("fields", at), sentence) for sentence in each.problems())
        if not self.asked:
            yield ("fields",), "every field is ignored; a model needs at least one"
        if self.outcome.bad == self.outcome.good:
            yield ("outcome",), "outcome: bad and good are the same"
        if self.age is not None and (self.age not in self.names or not self._by_name[self.age][1].asked):
            yield ("age",), f"age: {self.age} is no field that is asked for"
        for at, factor in enumerate(self.factors):
            yield from self._faults_of(at, factor)

    def _faults_of(self, at: int, factor: Factor) -> Iterator[Fault]:
        try:
            kind = parse(factor.expression, self._by_name).root.kind
            if kind not in ("number", "category"):
                raise ExpressionInvalid("it is a condition; write 1 if … else 0")
            if kind == "category" and factor.risk != "free":
                raise ExpressionInvalid("a category has no order, so its risk is free")
        except ExpressionInvalid as error:
            yield ("factors", at, "expression"), f"factor {factor.name}: {error}"
        for name, condition in factor.cases.items():
            try:
                if name in (*SIDES, MISSING):
                    raise ExpressionInvalid("above, below and missing are said without a condition")
                self.condition(condition)
            except ExpressionInvalid as error:
                yield ("factors", at, "cases", name), f"factor {factor.name}, case {name}: {error}"


@cache
def _adapter() -> TypeAdapter[Contract]:
    return TypeAdapter(Contract)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
