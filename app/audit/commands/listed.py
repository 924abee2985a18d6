"""Lists decisions for people, a line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.audit.store.finding import Criteria, find
from app.audit.store.lookup import contents
from app.audit.store.repository import Store


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of decisions, newest first, as the record has their contents."""

    decisions: Sequence[dict[str, Any]]
    cursor: str | None
    """Names the page after it; None where there is none."""

    def to_json(self) -> dict[str, Any]:
        return {"decisions": list(self.decisions), "cursor": self.cursor}

    def __str__(self) -> str:
        lines = [
            f"{it['at']}  {it['key']}  {it['decision']}  {it['probability']:.4f}"
            f"  application {it.get('application_id') or '-'}, caller {it['caller'] or '-'}, request {it['request_id']}"
            for it in self.decisions
        ]
        if self.cursor is not None:
            lines.append(f"more with --cursor {self.cursor}")
        return "\n".join(lines) or "no decision is like that"


def listed(store: Store, criteria: Criteria, size: int, cursor: str | None) -> Listed:
    """Raises RecordUnavailable, CursorInvalid, and RecordInvalid when a decision is not what was written."""
    page = find(store, criteria, size, cursor)
    return Listed(contents(store, page.decisions), page.cursor)
