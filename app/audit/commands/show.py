"""Shows one decision as a person reads it."""

from dataclasses import dataclass
from typing import Any

from app.audit.store.lookup import decision_of
from app.audit.store.repository import Store
from app.contract.contract import Contract
from app.errors import RecordInvalid


@dataclass(frozen=True, slots=True)
class Shown:
    """A decision from the record, with its hash and its challenger's score."""

    content: dict[str, Any]
    names: tuple[str, ...]
    """Of the fields."""

    def to_json(self) -> dict[str, Any]:
        return self.content

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
        lines += [f"reason {at}    {it['code']}: {it['text']}" for at, it in enumerate(record["reasons"], 1)]
        lines.append("features")
        width = max(len(name) for name in self.names)
        for name, value in zip(self.names, record["features"], strict=True):
            shown = "not given" if value is None else value if isinstance(value, str) else format(value, "g")
            lines.append(f"  {name:<{width}}  {shown}")
        lines.append(f"record      {record['hash']}, sequence {record['sequence']} of writer {record['writer']}")
        return "\n".join(lines)


def show(store: Store, key: str, contract: Contract) -> Shown:
    """The decision of that id. contract: that it was made under.

    Raises RecordUnavailable, and RecordInvalid when it is missing or not as written.
    """
    found = decision_of(store, key)
    if found is None:
        raise RecordInvalid(f"the database holds no decision {key}; it may be in the journal still")
    if len(found["features"]) != len(contract.asked):
        raise RecordInvalid(f"decision {key} was made under another contract than the one that the settings name")
    return Shown(found, contract.asked_names)
