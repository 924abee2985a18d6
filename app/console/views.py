"""What the pages show, as their templates take it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.audit.commands.replay import Deciders, replay
from app.audit.store.repository import Store, Stored
from app.contract.contract import Contract
from app.contract.fields import Field, Value
from app.errors import RecordInvalid
from app.scoring.decider import Decider, Decision
from app.scoring.explaining import FactorEffect, factor_effects

BAR = 120
"""Half the width of the drawing of effects, in its own units."""


@dataclass(frozen=True, slots=True)
class FieldShown:
    """One field of an application with its value."""

    field: Field
    value: Value

    @property
    def told(self) -> str:
        """For people."""
        return written(self.value)

    @property
    def typed(self) -> str:
        """As somebody would type it, with every digit."""
        if isinstance(self.value, float) and self.value.is_integer():
            return f"{self.value:.0f}"
        return "" if self.value is None else str(self.value)


@dataclass(frozen=True, slots=True)
class Bar:
    """One factor's effect, and where its bar is drawn: left of the middle it lowers the risk."""

    factor: str
    unit: str
    value: str
    reference: str
    effect: float | None
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class CheckedNow:
    """What looking at one decision now found."""

    passed: bool
    findings: list[str]


def written(value: Value) -> str:
    """A value as people read it."""
    return "not given" if value is None else value if isinstance(value, str) else f"{value:,.6g}"


def fields_of(contract: Contract, values: Sequence[Value]) -> list[FieldShown]:
    """values: of the asked fields. Raises RecordInvalid for those of another contract."""
    if len(values) != len(contract.asked):
        raise RecordInvalid("this decision was made under another contract than the one that the settings name")
    return [FieldShown(field, value) for field, value in zip(contract.asked, values, strict=True)]


def bars_of(effects: Sequence[FactorEffect]) -> list[Bar]:
    """The strongest first."""
    longest = max((abs(it.effect or 0.0) for it in effects), default=0.0) or 1.0
    bars = []
    for it in sorted(effects, key=lambda each: -abs(each.effect or 0.0)):
        length = BAR * abs(it.effect or 0.0) / longest
        x = BAR if (it.effect or 0.0) > 0 else BAR - length
        bars.append(Bar(it.factor, it.unit, written(it.value), written(it.reference), it.effect, x, length))
    return bars


def explained(deciders: Deciders, fields: dict[str, Any]) -> tuple[list[Bar], str]:
    """The effects of a recorded decision by the model of its day, or none and why."""
    decider = deciders.of(fields)
    if isinstance(decider, str):
        return [], decider
    effects = factor_effects(decider, decider.model.contract.vector(fields["features"]))
    return ([], "its model has no reference applicant") if effects is None else (bars_of(effects), "")


def asked(decider: Decider, values: Sequence[Value]) -> tuple[Decision, list[Bar]]:
    """What the model of a decision would say of other values."""
    vector = decider.model.contract.vector(values)
    return decider.decide(vector), bars_of(factor_effects(decider, vector) or [])


def check(store: Store, stored: Stored, deciders: Deciders) -> CheckedNow:
    """Whether a decision is what was written, follows the link before it, and comes out again to the last bit."""
    findings = []
    try:
        link = stored.to_link()
        before = store.link(link.writer, link.sequence - 1) if link.sequence > 1 else None
        if before is not None and before.hash != link.previous:
            findings.append("it does not follow the link before it in its chain")
        if link.sequence > 1 and before is None:
            findings.append("the link before it is not there; credit audit verify says whether retention took it")
    except RecordInvalid as error:
        return CheckedNow(False, [str(error)])
    findings += [it.what for it in replay([stored], deciders, lambda _: None).first]
    return CheckedNow(not findings, findings)


def read_value(field: Field, text: str) -> tuple[Value, str]:
    """What somebody typed for a field, and what is wrong with it; empty when nothing is."""
    text = text.strip()
    value: Value = None
    if text:
        try:
            value = text if field.type == "category" else float(text)
        except ValueError:
            return None, f"{field.name} must be a number"
    wrong = field.complaint(value)
    return value, f"{field.name} {wrong}" if wrong else ""
