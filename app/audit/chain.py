"""The lines of the record, each of which holds the hash of the one before: what is written cannot be changed unseen.

A line of a journal file is `<hash> <content>\\n`. The content is one JSON object; its hash is the SHA-256, in hex, of
exactly those bytes, so that a line proves itself and, by `previous`, everything before it of the same writer.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from pydantic_core import from_json, to_json

from app.errors import RecordInvalid
from app.times import microseconds, utc

Kind = Literal["decision", "policy", "challenger"]

GENESIS = "0" * 64
"""What the first line of a writer holds as `previous`."""


@dataclass(slots=True)
class Entry:
    """What somebody wants kept.

    key: of a decision its id, of a policy its version, of a challenger's score the id of the decision that it is about.
    at: microseconds since 1970. fields: the rest of the content, in JSON's types, NaN for null; no name of `Link`'s.
    """

    kind: Kind
    key: str
    at: int
    fields: dict[str, Any]
    text: str = field(init=False, repr=False, compare=False)
    """All of that as the inside of a JSON object, made here because a long batch makes its entries bit by bit."""

    def __post_init__(self) -> None:
        content = {"kind": self.kind, "key": self.key, "at": utc(self.at), **self.fields}
        self.text = to_json(content, inf_nan_mode="null")[1:-1].decode()


@dataclass(frozen=True, slots=True)
class Link:
    """One entry in the chain of its writer; `content` is what was hashed."""

    writer: str
    """UUIDv7 of the process that wrote it."""
    sequence: int
    """From 1, without a gap."""
    previous: str
    kind: Kind
    key: str
    at: int
    """Microseconds since 1970."""
    hash: str
    content: str

    @property
    def fields(self) -> dict[str, Any]:
        """The whole content, read."""
        return json.loads(self.content)  # type: ignore[no-any-return]


class Chain:
    """One writer's links, in order; not shared between threads.

    `sequence` and `head` are those of the last link; nothing counts before `advance` is told of it, so that lines that
    could not be written leave no gap.
    """

    def __init__(self, writer: str) -> None:
        self.writer = writer
        self.sequence = 0
        self.head = GENESIS

    def lines(self, entries: Iterable[Entry]) -> tuple[str, int, str]:
        """The entries as the next lines of a journal file, with the sequence and the hash of the last."""
        sequence, head, lines = self.sequence, self.head, ""
        for entry in entries:
            sequence += 1
            content = f'{{"writer":"{self.writer}","sequence":{sequence},"previous":"{head}",{entry.text}}}'
            head = sha256(content.encode()).hexdigest()
            lines += f"{head} {content}\n"
        return lines, sequence, head

    def advance(self, sequence: int, head: str) -> None:
        """The link of that sequence and hash, and with it all before it, has been written."""
        self.sequence, self.head = sequence, head


def from_line(line: str) -> Link:
    """Raises RecordInvalid when the line does not hash to what it says, or lacks a part."""
    digest, _, content = line.rstrip("\n").partition(" ")
    return link_of(digest, content)


def link_of(digest: str, content: str) -> Link:
    """As from_line, from the parts."""
    if sha256(content.encode()).hexdigest() != digest:
        raise RecordInvalid("its content does not have its hash")
    try:
        document = from_json(content)
        return Link(
            writer=document["writer"],
            sequence=document["sequence"],
            previous=document["previous"],
            kind=document["kind"],
            key=document["key"],
            at=microseconds(document["at"]),
            hash=digest,
            content=content,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RecordInvalid(f"its content is no entry of a record: {type(error).__name__}") from error
