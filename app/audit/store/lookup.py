"""One decision from the record, for a process that reads rarely and must not be kept waiting."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.settings import Settings

STATEMENT_SECONDS = 3.0


def find_decision(settings: Settings, key: str) -> dict[str, Any] | None:
    """The content of a decision with its `hash` and its `challenger`, or None.

    challenger: model and probability of the challenger that scored it too, else None.
    Raises RecordUnavailable, and RecordInvalid when the decision is not what was written.
    """
    return decision_of(_store(settings.audit.database_uri), key)


@lru_cache(maxsize=1)
def _store(uri: str) -> Store:
    return Store(open_engine(uri, connections=2, statement_seconds=STATEMENT_SECONDS))


def decision_of(store: Store, key: str) -> dict[str, Any] | None:
    """As find_decision, from an open store."""
    if (canonical := canonical_id(key)) is None:
        return None
    stored = store.decision(canonical)
    if stored is None:
        return None
    content = stored.to_link().fields
    scores = [it.to_link().fields for it in store.challengers([canonical])]
    challenger = {name: scores[-1][name] for name in ("model", "probability")} if scores else None
    return content | {"hash": stored.hash, "challenger": challenger}


def canonical_id(text: str) -> str | None:
    """A UUID in the form that the record writes; None for text that is no UUID."""
    try:
        return str(UUID(text))
    except ValueError:
        return None
