"""Answers that are given again: what became of a request that named itself, on whichever server it came.

Of the IETF draft "The Idempotency-Key HTTP Header Field" (draft-ietf-httpapi-idempotency-key-header).
"""

from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.audit.store.database import is_postgres, translated
from app.audit.store.repository import Store
from app.audit.store.schema.tables import requests
from app.times import DAY

KEPT = DAY
"""How long an answer is given again, in microseconds."""

ANSWERING = 60_000_000
"""How long a server may take for an answer, in microseconds; after that it is taken for dead."""


class Standing(Enum):
    """Of a request that was asked about."""

    NEW = "new"
    """It is now the asker's to answer."""
    UNDER_WAY = "under way"
    OTHER_BODY = "other body"
    """The key was used for another request."""
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a request. answer: as it was kept, where there is one."""

    standing: Standing
    answer: str | None = None


def claim(store: Store, key: str, body: str, claimant: str, now: int) -> Asked:
    """Ask what became of a request, and take it over when nobody has it.

    key, body: digests. claimant: unlike any other. now: microseconds since 1970. Raises RecordUnavailable.
    """
    with translated("a repeated request cannot be told from a new one", store.engine):
        with store.engine.begin() as connection:
            return _claim(connection, key, body, claimant, now)


def _claim(connection: Connection, key: str, body: str, claimant: str, now: int) -> Asked:
    insert = (postgresql if is_postgres(connection) else sqlite).insert(requests)
    new = {"body": body, "at": now, "claim": claimant, "answer": None}
    if connection.execute(insert.values(key=key, **new).on_conflict_do_nothing()).rowcount == 1:
        return Asked(Standing.NEW)
    query = select(requests.c.body, requests.c.at, requests.c.claim, requests.c.answer).where(requests.c.key == key)
    if is_postgres(connection):
        query = query.with_for_update()
    found = connection.execute(query).first()
    # Gone since: its server gave it up, and the client may ask again.
    if found is None:
        return Asked(Standing.UNDER_WAY)
    if found.at < now - KEPT or (found.answer is None and found.at < now - ANSWERING):
        connection.execute(update(requests).where(requests.c.key == key).values(**new))
        return Asked(Standing.NEW)
    if found.body != body:
        return Asked(Standing.OTHER_BODY)
    return Asked(Standing.UNDER_WAY) if found.answer is None else Asked(Standing.ANSWERED, found.answer)


def keep(store: Store, key: str, claimant: str, answer: str) -> bool:
    """Keep the answer to a request; gives whether it still was the claimant's. Raises RecordUnavailable."""
    mine = (requests.c.key == key) & (requests.c.claim == claimant)
    with translated("an answer cannot be kept", store.engine), store.engine.begin() as connection:
        return connection.execute(update(requests).where(mine).values(answer=answer)).rowcount == 1


def give_up(store: Store, key: str, claimant: str) -> None:
    """Let a request that was not decided on be asked again. Raises RecordUnavailable."""
    mine = (requests.c.key == key) & (requests.c.claim == claimant)
    with translated("a request cannot be given up", store.engine), store.engine.begin() as connection:
        connection.execute(delete(requests).where(mine))


def forget_answers(connection: Connection, now: int) -> None:
    """Take away what is not given again any more. now: microseconds since 1970."""
    connection.execute(delete(requests).where(requests.c.at < now - KEPT))
