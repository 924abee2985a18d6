"""Verifies where chains end: by the heads that the service signed, and by heads that somebody kept elsewhere."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.audit.checkpoints.kept import Kept
from app.audit.commands.findings import Finding
from app.audit.commands.removals import born
from app.audit.signing import NOT_SIGNED, Signature, Trust
from app.audit.store.repository import Dropped, SignedHead, Span, Store
from app.errors import RecordInvalid

ARRIVING = 60_000_000
"""Microseconds between the signature of an end and its arrival in the database, at most."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a writer's chain, to be kept where nobody who can change the database can change it."""

    writer: str
    sequence: int
    hash: str


def signed_ends(
    store: Store, spans: Sequence[Span], gone: Sequence[Dropped], heads: Sequence[SignedHead], trust: Trust
) -> Iterator[Finding]:
    """What is wrong with the signed ends of chains, and with chains that nobody signed.

    spans: of every chain, read before the heads: what is shipped meanwhile is then within them.
    """
    signed = {it.writer: it for it in heads}
    for head in heads:
        problem = trust.problem(head.statement, Signature(head.key, head.signature), head.at)
        if problem is not None:
            yield Finding("", head.writer, head.sequence, f"the end of its chain: {problem}")
        yield from _wrong(store, gone, head, "the signed end of its chain")
    for span in spans:
        end = signed.get(span.writer)
        if end is None:
            if trust.problem("", None, born(span.writer)) is not None:
                yield Finding("", span.writer, span.last, f"the end of its chain: {NOT_SIGNED}")
        elif span.last > end.sequence:
            beyond = span.last - end.sequence
            yield Finding("", span.writer, span.last, f"{beyond} records after the signed end of its chain")


def kept_ends(store: Store, gone: Sequence[Dropped], heads: Sequence[Head]) -> Iterator[Finding]:
    """What differs from heads that were kept elsewhere."""
    for head in heads:
        yield from _wrong(store, gone, head, "a kept head")


def checkpointed_ends(
    store: Store, gone: Sequence[Dropped], heads: Sequence[SignedHead], kept: Kept
) -> Iterator[Finding]:
    """What differs from the checkpoints that were kept elsewhere.

    heads: as the database has them, which somebody with the key and the database may have written.
    """
    for problem in kept.problems:
        yield Finding("", "(none)", 0, problem)
    for end in kept.ends.values():
        yield from _wrong(store, gone, end, "a checkpoint")
    for head in heads:
        old = kept.at is not None and head.at < kept.at - ARRIVING
        if old and head.writer not in kept.ends and store.link(head.writer, head.sequence) is not None:
            yield Finding("", head.writer, head.sequence, "its chain is older than the last checkpoint and not in any")


def _wrong(store: Store, gone: Sequence[Dropped], head: Head | SignedHead, by: str) -> Iterator[Finding]:
    stored = store.link(head.writer, head.sequence)
    if stored is not None:
        if stored.hash != head.hash:
            yield Finding(stored.key, head.writer, head.sequence, f"it is not the one that {by} names")
        return
    covered = [it for it in gone if it.writer == head.writer and it.first <= head.sequence <= it.last]
    if not covered:
        yield Finding("", head.writer, head.sequence, f"{by} names it, and it is missing")
    elif covered[0].last == head.sequence and covered[0].hash != head.hash:
        yield Finding("", head.writer, head.sequence, f"retention took another record than the one that {by} names")


def heads_of(store: Store) -> list[Head]:
    """The last link of every writer. Raises RecordUnavailable."""
    found = (store.link(span.writer, span.last) for span in store.spans())
    return [Head(it.writer, it.sequence, it.hash) for it in found if it is not None]


def read_heads(path: Path) -> list[Head]:
    """Heads from a file that `heads` printed. Raises RecordInvalid."""
    try:
        return [Head(**it) for it in json.loads(path.read_text())["heads"]]
    except OSError as error:
        raise RecordInvalid(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RecordInvalid(f"{path} is not what credit audit heads prints") from error
