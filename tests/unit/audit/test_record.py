"""Links of the record prove themselves and what came before."""

from hashlib import sha256

import pytest
from hypothesis import given, strategies as st

from app.audit.record import GENESIS, Chain, Entry, from_line, link_of, microseconds, to_line, utc
from app.errors import RecordInvalid

AT = 1_700_000_000_123_456


def entry(key: str) -> Entry:
    return Entry("decision", key, AT, {"probability": 0.1})


def test_each_link_holds_the_hash_of_the_one_before() -> None:
    first, second = Chain("w").links([entry("a"), entry("b")])
    assert (first.sequence, first.previous) == (1, GENESIS)
    assert (second.sequence, second.previous) == (2, first.hash)


def test_links_that_could_not_be_written_leave_no_gap() -> None:
    chain = Chain("w")
    list(chain.links([entry("lost")]))
    (kept,) = chain.links([entry("kept")])
    chain.advance(kept)
    (following,) = chain.links([entry("next")])
    assert (kept.sequence, following.sequence, following.previous) == (1, 2, kept.hash)


def test_a_line_reads_back_as_the_link_it_was() -> None:
    (link,) = Chain("w").links([entry("a")])
    assert from_line(to_line(link)) == link
    assert link.fields["probability"] == 0.1


def test_any_flipped_bit_of_a_line_is_seen() -> None:
    (link,) = Chain("w").links([entry("a")])
    line = to_line(link).encode()
    for at in range(len(line) - 1):
        changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
        with pytest.raises(RecordInvalid):
            from_line(changed.decode())


def test_content_that_is_no_entry_is_refused_whatever_its_hash() -> None:
    with pytest.raises(RecordInvalid, match="no entry"):
        link_of(sha256(b"[]").hexdigest(), "[]")


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_a_moment_reads_back_to_the_microsecond(at: int) -> None:
    assert microseconds(utc(at)) == at
