"""The hash chain of the record: what is written into it cannot be changed unseen.

Each writer has one chain. A link is the content of one entry, a JSON object, and the SHA-256 of exactly those bytes in
hex. The content holds the hash of the link before it, so that a link proves itself and everything before it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from pydantic_core import from_json, to_json

from app.errors import RecordInvalid
from app.times import microseconds, utc

Kind = Literal["decision", "policy", "challenger", "act", "outcome", "letter", "report", "review"]

GENESIS = "0" * 64
"""What the first link of a chain holds as `previous`."""

Sealed = tuple[str, str]
"""Hash and content of an entry in its place of a chain, as they are to be written."""

FOUND_BY = {"application_id": "application_id", "request_id": "request_id", "caller": "caller", "verdict": "decision"}
"""What decisions are found by, and what it is called in the content."""

# How the content of a decision begins. A link that is read no further takes two thirds of the time; one with a
# text that needed an escape there is parsed.
_TEXT = r'"([^"\\]*)"'
_DECISION = re.compile(
    rf'\{{"writer":{_TEXT},"sequence":(\d+),"previous":{_TEXT},"kind":"decision","key":{_TEXT},"at":{_TEXT}'
    rf',"request_id":{_TEXT},"caller":(?:null|{_TEXT}),"application_id":(?:null|{_TEXT}),"decision":{_TEXT},'
)


@dataclass(slots=True)
class Entry:
    """What is to be kept: a decision, a policy that decided, a challenger's score, an act, an outcome, a letter, or a
    report.

    key: of a decision its id, of a policy its version, of a challenger's score, an outcome and a letter the id of the
    decision that it is about, of an act an id of its own or a name, of a report its
    name.
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


@dataclass(slots=True)
class Link:
    """One entry of a writer's chain, read back and found to be what was written."""

    writer: str
    """UUIDv7 of the process that wrote it."""
    sequence: int
    """From 1, without a gap."""
    previous: str
    """Hash of the link before it; GENESIS for the first."""
    kind: Kind
    key: str
    at: int
    """Microseconds since 1970."""
    hash: str
    content: str
    """The JSON text that was hashed."""
    found_by: tuple[str | None, ...]
    """Of a decision, in the order of FOUND_BY; empty of any other."""

    @property
    def fields(self) -> dict[str, Any]:
        """The whole content, parsed anew each time. Raises RecordInvalid when it is no JSON object."""
        return _document(self.content)


class Chain:
    """The end of one writer's chain; not shared between threads.

    `sequence` and `head` (a hash) are those of the last link. They change only once `advance` is told that links have
    been written, so that links that could not be written leave no gap.
    """

    def __init__(self, writer: str) -> None:
        self.writer = writer
        self.sequence = 0
        self.head = GENESIS

    def seal(self, entries: Iterable[Entry]) -> list[Sealed]:
        """The entries as the links that follow the last one."""
        sequence, head = self.sequence, self.head
        links: list[Sealed] = []
        for entry in entries:
            sequence += 1
            content = f'{{"writer":"{self.writer}","sequence":{sequence},"previous":"{head}",{entry.text}}}'
            head = sha256(content.encode()).hexdigest()
            links.append((head, content))
        return links

    def advance(self, links: Sequence[Sealed]) -> None:
        """What `seal` gave last has been written."""
        if links:
            self.sequence, self.head = self.sequence + len(links), links[-1][0]


def link_of(digest: str, content: str) -> Link:
    """A link from its hash and its content, each read once.

    Raises RecordInvalid when the content does not have that hash, or lacks a part.
    """
    if sha256(content.encode()).hexdigest() != digest:
        raise RecordInvalid("its content does not have its hash")
    if begins := _DECISION.match(content):
        writer, sequence, previous, key, at, request_id, caller, application_id, verdict = begins.groups()
        found_by = application_id, request_id, caller, verdict
        return Link(writer, int(sequence), previous, "decision", key, _moment(at), digest, content, found_by)
    document = _document(content)
    try:
        kind = document["kind"]
        return Link(
            writer=document["writer"],
            sequence=document["sequence"],
            previous=document["previous"],
            kind=kind,
            key=document["key"],
            at=_moment(document["at"]),
            hash=digest,
            content=content,
            found_by=tuple(document.get(told) for told in FOUND_BY.values()) if kind == "decision" else (),
        )
    except (KeyError, TypeError) as error:
        raise _no_entry(error) from error


def _document(content: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = from_json(content)
    except ValueError as error:
        raise _no_entry(error) from error
    return document


def _moment(at: str) -> int:
    try:
        return microseconds(at)
    except ValueError as error:
        raise _no_entry(error) from error


def _no_entry(error: Exception) -> RecordInvalid:
    return RecordInvalid(f"its content is no entry of a record: {type(error).__name__}")
