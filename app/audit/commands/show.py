"""Shows one decision as a person reads it."""

from dataclasses import asdict, dataclass
from typing import Any

from app.audit.commands.replay import Deciders
from app.audit.store.lookup import decision_of
from app.audit.store.repository import Store
from app.contract.contract import Contract
from app.contract.fields import Value
from app.errors import RecordInvalid
from app.scoring.explaining import FactorEffect, factor_effects
from app.terminal import table


@dataclass(frozen=True, slots=True)
class Shown:
    """A decision from the record, with its hash, its challenger's score and what a person decided."""

    content: dict[str, Any]
    names: tuple[str, ...]
    """Of the fields."""
    factors: list[FactorEffect] | None = None
    """Computed now, by the model and the policy of its day; None when nobody asked or the model has no reference."""

    def to_json(self) -> dict[str, Any]:
        factors = {} if self.factors is None else {"factors": [asdict(each) for each in self.factors]}
        return self.content | factors

    def __str__(self) -> str:
        record, model, challenger = self.content, self.content["model"], self.content["challenger"]
        row = "" if record["row"] is None else f", row {record['row']} of its batch"
        lines = [
            f"decision    {record['key']}",
            f"            {record['decision']}, probability of default {record['probability']!r}",
            f"at          {record['at']}",
            f"request     {record['request_id']}{row}, caller {record['caller'] or 'unknown'}",
            f"application {record.get('application_id') or 'unknown'}",
            f"model       {model['uri']}, digest {model['digest']}",
            f"policy      {record['policy_version']}",
        ]
        if challenger is not None:
            lines.append(f"challenger  {challenger['model']['uri']}: probability {challenger['probability']!r}")
        if (review := record["review"]) is not None:
            lines.append(f"review      {review['verdict']} by {review['by']}, {review['at']}: {review['note']}")
            lines += [f"  told      {it['code']}: {it['text']}" for it in review["reasons"]]
        lines += [f"reason {at}    {it['code']}: {it['text']}" for at, it in enumerate(record["reasons"], 1)]
        lines.append("features")
        width = max(len(name) for name in self.names)
        for name, value in zip(self.names, record["features"], strict=True):
            lines.append(f"  {name:<{width}}  {_written(value)}")
        if self.factors is not None:
            rows = [["factor", "value", "reference", "effect in log-odds"]]
            for it in self.factors:
                effect = "none" if it.effect is None else f"{it.effect:+.4f}"
                rows.append([it.factor, _written(it.value), _written(it.reference), effect])
            lines += [f"  {line}" for line in table(rows, figures=True).splitlines()]
        lines.append(f"record      {record['hash']}, sequence {record['sequence']} of writer {record['writer']}")
        return "\n".join(lines)


def _written(value: Value) -> str:
    return "not given" if value is None else value if isinstance(value, str) else format(value, "g")


def show(store: Store, key: str, contract: Contract, deciders: Deciders | None = None) -> Shown:
    """The decision of that id. contract: that it was made under. deciders: to tell the factors too.

    Raises RecordUnavailable, and RecordInvalid when it is missing or not as written, or cannot be computed again;
    ModelUnavailable.
    """
    found = decision_of(store, key)
    if found is None:
        raise RecordInvalid(f"the database holds no decision {key}; it may be in the journal still")
    if len(found["features"]) != len(contract.asked):
        raise RecordInvalid(f"decision {key} was made under another contract than the one that the settings name")
    return Shown(found, contract.asked_names, None if deciders is None else _factors(found, deciders))


def _factors(found: dict[str, Any], deciders: Deciders) -> list[FactorEffect] | None:
    decider = deciders.of(found)
    if isinstance(decider, str):
        raise RecordInvalid(f"the factors of decision {found['key']} cannot be computed again: {decider}")
    return factor_effects(decider, decider.model.contract.vector(found["features"]))
