"""Links of the record prove themselves and what came before."""

import json
from hashlib import sha256

import pytest
from hypothesis import given, strategies

from app.audit.chain import FOUND_BY, GENESIS, Chain, Entry, link_of
from app.errors import RecordInvalid
from tests.support.records import linked

AT = 1_700_000_000_123_456


def entry(key: str) -> Entry:
    return Entry("decision", key, AT, {"probability": 0.1})


def test_each_link_holds_the_hash_of_the_one_before() -> None:
    first, second = linked([entry("a"), entry("b")])
    assert (first.sequence, first.previous) == (1, GENESIS)
    assert (second.sequence, second.previous) == (2, first.hash)


def test_links_that_could_not_be_written_leave_no_gap() -> None:
    chain = Chain("w")
    chain.seal([entry("lost")])
    written = chain.seal([entry("kept")])
    chain.advance(written)
    kept, following = (link_of(*it) for it in written + chain.seal([entry("next")]))
    assert (kept.sequence, following.sequence, following.previous) == (1, 2, kept.hash)


def test_what_was_sealed_reads_back_as_the_link_it_was() -> None:
    chain = Chain("w")
    (sealed,) = chain.seal([entry("a")])
    chain.advance([sealed])
    link = link_of(*sealed)
    assert (link.writer, link.sequence, link.previous, link.hash) == ("w", chain.sequence, GENESIS, chain.head)
    assert (link.kind, link.key, link.at, link.fields["probability"]) == ("decision", "a", AT, 0.1)
    assert link.content == sealed[1]


def test_a_chain_that_nothing_was_appended_to_is_as_it_was() -> None:
    chain = Chain("w")
    chain.advance(chain.seal([entry("a")]))
    before = (chain.sequence, chain.head)
    chain.advance(chain.seal([]))
    assert (chain.sequence, chain.head) == before


def test_any_flipped_bit_of_a_link_is_seen() -> None:
    ((digest, content),) = Chain("w").seal([entry("a")])
    for at in range(len(content)):
        changed = content[:at] + chr(ord(content[at]) ^ 1) + content[at + 1 :]
        with pytest.raises(RecordInvalid, match="does not have its hash"):
            link_of(digest, changed)


def test_numbers_of_a_content_are_those_that_were_written() -> None:
    entries = [Entry("decision", "a", AT, {"probability": number}) for number in (0.1, 5e-324, 1 / 3, -0.0)]
    for sealed, number in zip(Chain("w").seal(entries), (0.1, 5e-324, 1 / 3, -0.0), strict=True):
        link = link_of(*sealed)
        assert repr(link.fields["probability"]) == repr(number)
        assert link.fields == json.loads(sealed[1])


def test_content_that_is_no_entry_is_refused_whatever_its_hash() -> None:
    with pytest.raises(RecordInvalid, match="no entry"):
        link_of(sha256(b"[]").hexdigest(), "[]")


TEXTS = strategies.text(max_size=20) | strategies.sampled_from(['"', "\\", '","decision":"REJECT', "é", "{", "null"])


@given(key=TEXTS, caller=strategies.none() | TEXTS, application=strategies.none() | TEXTS, late=...)
def test_a_decision_is_read_the_same_whatever_its_texts_hold(
    key: str, caller: str | None, application: str | None, late: bool
) -> None:
    found_by = {"request_id": key, "caller": caller, "application_id": application}
    verdict, others = {"decision": "ACCEPT"}, {"features": ["decision", 1.5]}
    # As this release writes it, and as those before it did.
    fields = found_by | (others | verdict if late else verdict | others)
    (sealed,) = Chain("w").seal([Entry("decision", key, AT, fields)])
    link, document = link_of(*sealed), json.loads(sealed[1])
    assert link.found_by == tuple(document[told] for told in FOUND_BY.values())
    assert (link.writer, link.key, link.sequence, link.previous) == ("w", key, 1, GENESIS)
    assert (link.kind, link.at, link.fields) == ("decision", AT, document)


def test_a_decision_that_is_no_json_is_refused_where_it_is_parsed() -> None:
    found_by = {"request_id": "r", "caller": None, "application_id": None, "decision": "ACCEPT", "row": None}
    ((_, content),) = Chain("w").seal([Entry("decision", "a", AT, found_by)])
    cut = content[:-1]
    link = link_of(sha256(cut.encode()).hexdigest(), cut)
    with pytest.raises(RecordInvalid, match="no entry"):
        _ = link.fields
