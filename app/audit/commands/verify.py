"""Verifies that the record is what was written: each link's hash, its columns, and its place in its chain."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.audit.chain import GENESIS
from app.audit.store.repository import Dropped, Span, Store, Stored
from app.errors import RecordInvalid
from app.times import utc

MOST_SHOWN = 20

TOO_EARLY = "retention is said to have taken it, from a month that audit.retention_months keeps"


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a writer's chain, to be kept where nobody who can change the database can change it."""

    writer: str
    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A link that is not what was written, or a place of a chain where one is missing."""

    key: str
    writer: str
    sequence: int
    what: str

    def __str__(self) -> str:
        return f"record {self.key or '(none)'}, writer {self.writer}, sequence {self.sequence}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified, and what was found."""

    links: int
    writers: int
    taken: int
    """Links that retention removed from these chains."""
    taken_before: str | None
    heads: int
    """Heads kept elsewhere that were compared."""
    bad: int
    first: Sequence[Finding]
    """The first findings."""

    @property
    def passed(self) -> bool:
        return self.bad == 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"passed": self.passed}

    def __str__(self) -> str:
        counts = f"{self.links:,} links of {self.writers:,} writers"
        if self.heads:
            counts += f", {self.heads:,} heads"
        lines = [f"OK: {counts}"] if self.passed else [f"BAD: {self.bad:,} of {counts}; the first:"]
        lines += [f"  {it}" for it in self.first]
        if self.taken:
            lines.append(f"retention took {self.taken:,} links before them, all older than {self.taken_before}")
        return "\n".join(lines)


def verify(
    store: Store,
    since: int | None,
    until: int | None,
    heads: Sequence[Head],
    done: Callable[[int], None],
    kept_from: int | None = None,
) -> Verified:
    """Verify every chain, from its first to its last link of [since, until), microseconds since 1970.

    heads: compared with the links that they name. done: called with how many more links have been verified. kept_from:
    retention keeps everything from then on, so that a removal after it is a finding; None: unknown. Raises
    RecordUnavailable.
    """
    spans = store.spans(since, until)
    links = bad = taken = 0
    before: int | None = None
    first: list[Finding] = []
    for span in spans:
        gone = store.dropped(span.writer)
        early = [it for it in gone if kept_from is not None and it.before > kept_from]
        bad += len(early)
        first += [Finding("", span.writer, it.first, TOO_EARLY) for it in early][: MOST_SHOWN - len(first)]
        taken += sum(it.last - it.first + 1 for it in gone)
        before = max([*([before] if before is not None else []), *(it.before for it in gone)], default=None)
        chain = _Chain(span, gone, whole=since is None and until is None)
        for stored in store.chain(span):
            found = chain.look(stored)
            links += 1
            bad += len(found)
            first += found[: MOST_SHOWN - len(first)]
            done(1)
    for head in heads:
        if found := list(_wrong_head(store, head)):
            bad += 1
            first += found[: MOST_SHOWN - len(first)]
    return Verified(links, len(spans), taken, None if before is None else utc(before), len(heads), bad, first)


class _Chain:
    """Verifies the links of one writer in order."""

    def __init__(self, span: Span, gone: Sequence[Dropped], whole: bool) -> None:
        self._writer = span.writer
        self._gone = {it.first: it for it in gone}
        self._sequence = 1 if whole else span.first
        # Of a part of a chain nobody knows what came before it.
        self._head: str | None = GENESIS if self._sequence == 1 else None

    def look(self, stored: Stored) -> list[Finding]:
        """What is wrong with the next link."""
        self._skip_dropped(stored.sequence)
        problems = list(self._problems(stored))
        self._sequence, self._head = stored.sequence + 1, stored.hash
        return [Finding(stored.key, stored.writer, stored.sequence, what) for what in problems]

    def _skip_dropped(self, sequence: int) -> None:
        while self._sequence < sequence and (run := self._gone.get(self._sequence)):
            self._sequence, self._head = run.last + 1, run.hash

    def _problems(self, stored: Stored) -> Iterator[str]:
        missing = stored.sequence - self._sequence
        if missing > 0:
            yield f"{missing} before it are missing, from sequence {self._sequence} on"
        elif missing < 0:
            yield "its place in the chain is taken twice"
        try:
            link = stored.to_link()
        except RecordInvalid as error:
            yield str(error)
            return
        for name in ("writer", "sequence", "kind", "key", "at"):
            if getattr(stored, name) != getattr(link, name):
                yield f"its column {'id' if name == 'key' else name} is not what its content says"
        if missing == 0 and self._head is not None and link.previous != self._head:
            yield "it does not follow the record before it"


def _wrong_head(store: Store, head: Head) -> Iterator[Finding]:
    stored = store.link(head.writer, head.sequence)
    if stored is not None:
        if stored.hash != head.hash:
            yield Finding(stored.key, head.writer, head.sequence, "it is not the one that the kept head names")
        return
    covered = [it for it in store.dropped(head.writer) if it.first <= head.sequence <= it.last]
    if not covered:
        yield Finding("", head.writer, head.sequence, "a kept head names it, and it is missing")
    elif covered[0].last == head.sequence and covered[0].hash != head.hash:
        yield Finding(
            "", head.writer, head.sequence, "retention took another record than the one that the kept head names"
        )


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
