"""A risk factor: what a model sees of an application, as an expression over its fields."""

from dataclasses import field
from typing import Annotated

from pydantic import Field as Limits
from pydantic.dataclasses import dataclass

from app.contract.fields import DIRECTIONS, STRICT, Direction, Name

CaseName = Annotated[str, Limits(pattern="^[a-z][a-z0-9_]{0,39}$")]
SIDES = ("above", "below")
"""What is said of a factor's number beside the reference applicant's, where no case holds."""
MISSING = "missing"
"""The case of a factor that has no value; it needs no condition."""


@dataclass(frozen=True, slots=True, config=STRICT)
class Factor:
    """One input of a model."""

    name: Name
    expression: Annotated[str, Limits(min_length=1)]
    risk: Direction = "free"
    """Which way the risk may move as the factor grows: "rises" never falls, "falls" never rises."""
    step: Annotated[float, Limits(ge=0)] = 0.0
    """A change that an applicant can make. Where it is above 0 a factor without a direction is a reason only if that
    step towards the reference applicant does not raise the risk."""
    unit: Annotated[str, Limits(max_length=60)] = ""
    description: Annotated[str, Limits(max_length=300)] = ""
    cases: dict[CaseName, str] = field(default_factory=dict)
    """Conditions over fields under which a reason about it has words of its own; the first that holds counts."""

    @property
    def direction(self) -> int:
        """1, -1 or 0, as scikit-learn's monotonic_cst."""
        return DIRECTIONS[self.risk]


def identity(name: str) -> Factor:
    """The factor that is a field as it stands, with the field's name and no direction."""
    return Factor(name, f"`{name}`")
