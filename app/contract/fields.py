"""A field: one value that a caller sends and that a file holds."""

from collections.abc import Iterator
from dataclasses import field
from math import isfinite
from typing import Annotated, Literal

from pydantic import ConfigDict, Field as Limits
from pydantic.dataclasses import dataclass

# Strict: a name that YAML reads as a truth value or a date is a mistake, not a text.
STRICT = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True, allow_inf_nan=False)

Name = Annotated[str, Limits(pattern=r"^[^`\x00-\x1f]{1,100}$")]
Kind = Literal["number", "integer", "category", "ignored"]
Direction = Literal["rises", "falls", "free"]
DIRECTIONS: dict[Direction, int] = {"rises": 1, "falls": -1, "free": 0}
"""As scikit-learn's monotonic_cst has them."""

MOST_VALUES = 250
"""Of a category: scikit-learn's boosted trees take no more."""

Value = float | str | None
"""As JSON has it; None where it is missing."""


@dataclass(frozen=True, slots=True, config=STRICT)
class Field:
    """One value of an application, at its place in the wire order."""

    name: Name
    type: Kind = "number"
    values: tuple[Annotated[str, Limits(min_length=1, max_length=100)], ...] = ()
    """Of a category, all that there are; its code is its place among them, from 0."""
    nullable: bool = False
    """Whether it may be missing: `null` on the wire, an empty cell or NA in a file, NaN in a vector."""
    minimum: float | None = None
    maximum: float | None = None
    risk: Direction = "free"
    """Which way the risk may move as the value grows and all others stay: "rises" never falls, "falls" never rises."""
    unit: Annotated[str, Limits(max_length=60)] = ""
    description: Annotated[str, Limits(max_length=300)] = ""
    example: float | str | None = None
    columns: tuple[str, ...] = field(default=())
    """What else a model or a file may call one that is ignored."""

    @property
    def direction(self) -> int:
        """1, -1 or 0."""
        return DIRECTIONS[self.risk]

    @property
    def asked(self) -> bool:
        """Whether it is a value of the applicant; what is ignored only keeps a place."""
        return self.type != "ignored"

    def problems(self) -> Iterator[str]:
        """What is wrong with it, a sentence each."""
        if self.type == "category":
            if len(self.values) < 2 or len(set(self.values)) != len(self.values) or len(self.values) > MOST_VALUES:
                yield f"{self.name}: a category needs 2 to {MOST_VALUES} values, each once"
            if self.minimum is not None or self.maximum is not None:
                yield f"{self.name}: a category has values, no minimum and no maximum"
            if self.risk != "free":
                yield f"{self.name}: a category has no order, so its risk is free"
        elif self.values:
            yield f"{self.name}: only a category has values"
        if self.columns and self.asked:
            yield f"{self.name}: only what is ignored may have other columns"
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            yield f"{self.name}: minimum {self.minimum:g} is above maximum {self.maximum:g}"
        if not self.asked and self.nullable:
            yield f"{self.name}: what is ignored cannot be nullable"
        if self.example is None:
            if not self.nullable:
                yield f"{self.name}: an example is missing"
        elif (wrong := self.complaint(self.example)) is not None:
            yield f"{self.name}: its own example {wrong}"

    def complaint(self, value: Value) -> str | None:
        """What is wrong with a value, to follow the field's name; None when it is allowed. Never repeats the value."""
        if value is None:
            return None if self.nullable else "is missing"
        if self.type == "category":
            return None if value in self.values else f"must be one of {', '.join(self.values)}"
        if isinstance(value, str) or not isfinite(value):
            return "must be a finite number"
        if self.type == "integer" and not float(value).is_integer():
            return "must be a whole number"
        return None if self._inside(value) else f"must be {self.range}"

    def _inside(self, value: float) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)

    @property
    def range(self) -> str:
        """What its numbers may be, in words; empty where nothing bounds them."""
        if self.minimum is not None and self.maximum is not None:
            return f"from {self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"at least {self.minimum:g}"
        return "" if self.maximum is None else f"at most {self.maximum:g}"

    def encoded(self, value: Value) -> float:
        """As a vector holds it: NaN where it is missing, a category's code. Raises ValueError for another category."""
        if value is None:
            return float("nan")
        return float(self.values.index(value)) if isinstance(value, str) else float(value)

    def decoded(self, number: float) -> Value:
        """As JSON has it, from a vector."""
        if number != number:
            return None
        return self.values[int(number)] if self.type == "category" else number
