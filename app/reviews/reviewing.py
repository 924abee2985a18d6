"""A person's decision on an application: what it has to hold, and how it is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.audit.chain import Chain, Entry, link_of
from app.audit.signing import Signer
from app.audit.store.repository import Store, Stored
from app.audit.store.review_rows import Review, final, reviews
from app.errors import ReviewRefused
from app.ids import Ids
from app.scoring.policy import Policy, Verdict
from app.scoring.reasons import MOST_REASONS
from app.times import microseconds_now

LONGEST_NOTE = 1_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """As a person gives it."""

    verdict: str
    note: str
    """Why, for the lender."""
    codes: Sequence[str]
    """Of the reasons that the applicant is told, of a REJECT."""
    seen: str | None
    """Hash of the review that the person saw, None where there was none: then nobody decides past another."""


def review_of(store: Store, key: str) -> Review | None:
    """The one that holds. Raises RecordUnavailable, RecordInvalid."""
    return reviews(store, [key]).get(key)


def keep_review(
    store: Store, stored: Stored, policy: Policy, judgement: Judgement, by: str, signer: Signer
) -> list[str]:
    """Keep it as a signed link, or say what is wrong with it, a sentence each; then nothing is kept.

    policy: that the decision was made under, whose words there are. by: who judges.
    Raises RecordUnavailable, RecordInvalid, and ReviewRefused when another person has judged meanwhile.
    """
    was: Verdict = stored.to_link().fields["decision"]
    before = review_of(store, stored.key)
    if (before.hash if before else None) != judgement.seen:
        raise ReviewRefused("somebody else has decided this meanwhile; look at it again")
    if wrong := [*_problems(stored, policy, judgement, final(was, before))]:
        return wrong
    words = policy.phrases
    refused = judgement.verdict == "REJECT"
    fields = {
        "verdict": judgement.verdict,
        "by": by,
        "note": judgement.note.strip(),
        "reasons": [{"code": code, "text": words[code]} for code in judgement.codes] if refused else [],
        "was": was,
    }
    entry = Entry("review", stored.key, microseconds_now(), fields)
    store.insert([link_of(*it) for it in Chain(Ids().next()).seal([entry])], signer)
    return []


def _problems(stored: Stored, policy: Policy, judgement: Judgement, holds: Verdict) -> Iterator[str]:
    note = judgement.note.strip()
    if judgement.verdict not in {"ACCEPT", "REJECT"}:
        yield "Choose ACCEPT or REJECT."
    elif judgement.verdict == holds:
        yield f"It is {'an' if holds == 'ACCEPT' else 'a'} {holds} already."
    if not note:
        yield "Say why."
    elif len(note) > LONGEST_NOTE:
        yield f"Why is {len(note):,} characters; {LONGEST_NOTE:,} are the most."
    if judgement.verdict == "ACCEPT":
        told = {reason["code"] for reason in stored.to_link().fields["reasons"]}
        for code in sorted(told & policy.rule_codes):
            yield f"The rule of {code} refuses whatever anybody says; the policy would have to change first."
    if judgement.verdict == "REJECT":
        if not 1 <= len(judgement.codes) <= MOST_REASONS:
            yield f"Choose one to {MOST_REASONS} reasons, which the applicant will be told."
        if unknown := [code for code in judgement.codes if code not in policy.phrases]:
            yield f"Policy {policy.version} has no words for {', '.join(unknown)}."
