"""Verifies the links of one writer in order: each link's hash, its columns, and its place in the chain."""

from collections.abc import Iterator, Sequence

from app.audit.chain import FOUND_BY, GENESIS
from app.audit.commands.findings import Finding
from app.audit.store.repository import Dropped, Span, Stored
from app.errors import RecordInvalid


class OneChain:
    """gone: what retention removed of it. whole: it is looked at from its first link on."""

    def __init__(self, span: Span, gone: Sequence[Dropped], whole: bool) -> None:
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
        # What is no decision is found by none of them.
        for name, value in zip(FOUND_BY, link.found_by, strict=False):
            if getattr(stored, name) != value:
                yield f"its column {name} is not what its content says"
        if missing == 0 and self._head is not None and link.previous != self._head:
            yield "it does not follow the record before it"
