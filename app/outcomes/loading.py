"""Takes outcomes into the record: each is a signed link about one accepted decision, and a correction is another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.audit.chain import Chain, Entry, link_of
from app.audit.signing import Signer
from app.audit.store.outcome_rows import DecidedOn, KnownOutcome, decided, outcomes
from app.audit.store.repository import Store
from app.ids import Ids
from app.outcomes.given import Faults, Given
from app.times import microseconds_now, utc

LINKS_AT_ONCE = 2_000
"""In one transaction; what a run that was ended did not bring, the next one does."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a file's outcomes."""

    new: int
    corrected: int
    known: int
    """As they were known already."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.new:,} outcomes are new, {self.corrected:,} corrected, {self.known:,} were known already"


def load_outcomes(
    store: Store,
    given: Sequence[Given],
    name: str,
    by: str,
    signer: Signer,
    done: Callable[[int], None],
    place: str = "line",
) -> Loaded:
    """All of them or none. name: of the file; by: who says so; done: called with how many more have been kept.

    place: what its lines are called. Raises OutcomesInvalid with the lines that are about no accepted decision,
    RecordUnavailable, RecordInvalid.
    """
    about = _resolved(store, given, Faults(name, place))
    known = outcomes(store, list(about))
    changed = {key: it for key, it in about.items() if known.get(key) != KnownOutcome(it.bad, it.observed)}
    ids = Ids()
    chain, items = Chain(ids.next()), list(changed.items())
    for start in range(0, len(items), LINKS_AT_ONCE):
        part = items[start : start + LINKS_AT_ONCE]
        links = chain.seal([_entry(key, it, name, by) for key, it in part])
        store.insert([link_of(*it) for it in links], signer)
        chain.advance(links)
        done(len(part))
    corrected = sum(key in known for key in changed)
    return Loaded(len(changed) - corrected, corrected, len(about) - len(changed))


def _entry(key: str, given: Given, name: str, by: str) -> Entry:
    fields = {"bad": given.bad, "observed": given.observed, "by": by, "source": name}
    return Entry("outcome", key, microseconds_now(), fields)


def _resolved(store: Store, given: Sequence[Given], faults: Faults) -> dict[str, Given]:
    """By the id of the decision that each is about."""
    by_key, by_application = _decisions(store, given)
    found: dict[str, Given] = {}
    for it in given:
        decision = by_key.get(it.decision_id or "") or by_application.get(it.application_id or "")
        for sentence in _complaints(it, decision, found, faults.place):
            faults.add(it.line, sentence)
        if decision is not None:
            found.setdefault(decision.key, it)
    faults.refuse()
    return found


def _complaints(given: Given, decision: DecidedOn | None, found: dict[str, Given], place: str) -> Iterator[str]:
    if decision is None:
        where = "decision of that id" if given.decision_id else "accepted decision on that application"
        yield f"the record holds no {where}"
        return
    if decision.verdict == "REVIEW":
        yield "the decision waits for a person: without a loan there is no outcome"
    elif decision.verdict != "ACCEPT":
        yield "the decision is a REJECT: without a loan there is no outcome"
    if given.observed < utc(decision.at)[:10]:
        yield "observed is before the decision"
    other = found.get(decision.key)
    if other is not None and (other.bad, other.observed) != (given.bad, given.observed):
        yield f"{place} {other.line} says otherwise of the same decision"


def _decisions(store: Store, given: Sequence[Given]) -> tuple[dict[str, DecidedOn], dict[str, DecidedOn]]:
    """By id, and by application the newest that accepted it."""
    keys = [it.decision_id for it in given if it.decision_id]
    applications = [it.application_id for it in given if it.application_id]
    by_key, by_application = {}, {}
    for it in decided(store, keys, applications):
        by_key[it.key] = it
        if it.application_id is not None and it.verdict == "ACCEPT":
            by_application[it.application_id] = it
    return by_key, by_application
