"""Decisions from the record, for a process that reads rarely and must not be kept waiting."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from app.audit.store.database import open_engine
from app.audit.store.repository import Store, Stored
from app.audit.store.review_rows import reviews
from app.settings import Settings

STATEMENT_SECONDS = 3.0


def find_decision(settings: Settings, key: str) -> dict[str, Any] | None:
    """The content of a decision with its `hash`, its `challenger` and its `review`, or None.

    challenger: model and probability of the challenger that scored it too, else None. review: what a person decided.
    Raises RecordUnavailable, and RecordInvalid when the decision is not what was written.
    """
    return decision_of(store_of(settings.audit.database_uri), key)


@lru_cache(maxsize=1)
def store_of(uri: str) -> Store:
    """The record at that address, over connections that are kept."""
    return Store(open_engine(uri, connections=2, statement_seconds=STATEMENT_SECONDS))


def decision_of(store: Store, key: str) -> dict[str, Any] | None:
    """As find_decision, from an open store."""
    if (canonical := canonical_id(key)) is None:
        return None
    stored = store.decision(canonical)
    return None if stored is None else contents(store, [stored])[0]


def contents(store: Store, found: Sequence[Stored]) -> list[dict[str, Any]]:
    """Of each decision its content with its `hash`, its `challenger` and its `review`, which are None without one.

    Raises RecordUnavailable, and RecordInvalid when one is not what was written.
    """
    scores = {it.key: it.to_link().fields for it in store.challengers([it.key for it in found])}
    by_people = reviews(store, [it.key for it in found])
    told = []
    for it in found:
        score, review = scores.get(it.key), by_people.get(it.key)
        about = {"hash": it.hash, "challenger": _score(score), "review": review and review.told()}
        told.append(it.to_link().fields | about)
    return told


def _score(challenger: dict[str, Any] | None) -> dict[str, Any] | None:
    return challenger and {name: challenger[name] for name in ("model", "probability")}


def canonical_id(text: str) -> str | None:
    """A UUID in the form that the record writes; None for text that is no UUID."""
    try:
        return str(UUID(text))
    except ValueError:
        return None
