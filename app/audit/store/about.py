"""What the record says about decisions: outcomes and reviews, each a link whose key is the decision's id."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import select

from app.audit.chain import Kind, Link, link_of
from app.audit.store.repository import CHUNK, Store, Stored
from app.audit.store.schema.tables import entries

MOST_AT_ONCE = 1_000
"""Ids in one query."""


def links_about(store: Store, kind: Kind, keys: Sequence[str] | None) -> Iterator[Link]:
    """The links of a kind about those decisions, or about all, of each decision the earlier ones first.

    Raises RecordUnavailable, and RecordInvalid when one is not what was written.
    """
    columns = entries.c
    query = select(columns.hash, columns.content).where(columns.kind == kind)
    # A later one takes an earlier one's place.
    query = query.order_by(columns.at, columns.writer, columns.sequence)
    asked = [query]
    if keys is not None:
        parts = (keys[start : start + MOST_AT_ONCE] for start in range(0, len(keys), MOST_AT_ONCE))
        asked = [query.where(columns.key.in_(part)) for part in parts]
    for each in asked:
        with store.reading() as connection:
            for digest, content in connection.execution_options(yield_per=CHUNK).execute(each):
                yield link_of(digest, content)


def in_chunks(records: Iterable[Stored]) -> Iterator[list[Stored]]:
    """As many at a time as are asked about in one query."""
    remaining = iter(records)
    while chunk := list(islice(remaining, MOST_AT_ONCE)):
        yield chunk
