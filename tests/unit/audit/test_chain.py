"""Links of the record prove themselves and what came before."""

from hashlib import sha256

import pytest

from app.audit.chain import GENESIS, Chain, Entry, from_line, link_of
from app.errors import RecordInvalid
from tests.support.records import linked, links_of, to_line

AT = 1_700_000_000_123_456


def entry(key: str) -> Entry:
    return Entry("decision", key, AT, {"probability": 0.1})


def test_each_link_holds_the_hash_of_the_one_before() -> None:
    first, second = linked([entry("a"), entry("b")])
    assert (first.sequence, first.previous) == (1, GENESIS)
    assert (second.sequence, second.previous) == (2, first.hash)


def test_links_that_could_not_be_written_leave_no_gap() -> None:
    chain = Chain("w")
    chain.lines([entry("lost")])
    lines, sequence, head = chain.lines([entry("kept")])
    chain.advance(sequence, head)
    kept, following = links_of(lines + chain.lines([entry("next")])[0])
    assert (kept.sequence, following.sequence, following.previous) == (1, 2, kept.hash)


def test_a_line_reads_back_as_the_link_it_was() -> None:
    lines, sequence, head = Chain("w").lines([entry("a")])
    link = from_line(lines)
    assert (link.writer, link.sequence, link.previous, link.hash) == ("w", sequence, GENESIS, head)
    assert (link.kind, link.key, link.at, link.fields["probability"]) == ("decision", "a", AT, 0.1)
    assert to_line(link) == lines


def test_any_flipped_bit_of_a_line_is_seen() -> None:
    line = Chain("w").lines([entry("a")])[0].encode()
    for at in range(len(line) - 1):
        changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
        with pytest.raises(RecordInvalid):
            from_line(changed.decode())


def test_content_that_is_no_entry_is_refused_whatever_its_hash() -> None:
    with pytest.raises(RecordInvalid, match="no entry"):
        link_of(sha256(b"[]").hexdigest(), "[]")
