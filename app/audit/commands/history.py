"""Tells who did what: acts of people and jobs, and the policies that servers took up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.audit.store.repository import Store


@dataclass(frozen=True, slots=True)
class History:
    """Events in the order of their time, as the record has their contents."""

    events: Sequence[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        return {"events": list(self.events)}

    def __str__(self) -> str:
        return "\n".join(_line(it) for it in self.events) or "nothing is recorded of that time"


def history(store: Store, since: int | None, until: int | None) -> History:
    """What was done in [since, until), microseconds since 1970.

    Raises RecordUnavailable, and RecordInvalid when an entry is not what was written.
    """
    return History([it.to_link().fields for it in store.entries(("act", "policy", "review"), since, until)])


def _line(event: dict[str, Any]) -> str:
    if event["kind"] == "policy":
        return f"{event['at']}  policy      {event['key']} decides, at writer {event['writer']}"
    if event["kind"] == "review":
        said = f"decision {event['key']}, {event['was']}: {event['verdict']}"
        return f"{event['at']}  review      {said}; by {event['by']}: {event['note']}"
    about = ", ".join(f"{name} {_told(value)}" for name, value in event["about"].items() if value not in ([], ""))
    second = f", approved by {event['approved_by']}" if event["approved_by"] else ""
    why = event["reason"] or "no reason given"
    return f"{event['at']}  {event['what']:<10}  {about}; by {event['by']}{second}: {why}"


def _told(value: Any) -> str:
    return " and ".join(value) if isinstance(value, list) else str(value)
