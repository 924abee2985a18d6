"""The decisions that reports are about: each with what a person decided, and with what a challenger made of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.audit.store.about import in_chunks
from app.audit.store.recorded_policies import RecordedPolicies
from app.audit.store.repository import Store, Stored
from app.audit.store.review_rows import Review, final
from app.errors import RecordInvalid
from app.scoring.policy import Verdict


@dataclass(frozen=True, slots=True)
class Score:
    """A challenger's."""

    version: str
    probability: float


@dataclass(frozen=True, slots=True)
class PastDecision:
    """One decision."""

    key: str
    month: str
    """As 2026-01."""
    version: str
    """Of the model."""
    probability: float
    verdict: Verdict
    """What holds: a person's where there is one."""
    fields: dict[str, Any]
    """As recorded."""
    review: Review | None
    challenger: Score | None


def read_decisions(
    records: Iterable[Stored], store: Store, by_people: Mapping[str, Review], done: Callable[[int], None]
) -> Iterator[PastDecision]:
    """by_people: reviews by the decision's id. done: called with how many more were read.

    Raises RecordUnavailable, and RecordInvalid when a decision is not what was written.
    """
    for chunk in in_chunks(records):
        scores = {it.key: it for it in store.challengers([it.key for it in chunk])}
        for stored in chunk:
            yield _decided(stored, scores.get(stored.key), by_people.get(stored.key))
        done(len(chunk))


def swapped(it: PastDecision, policies: RecordedPolicies) -> Literal["out", "in"] | None:
    """Whether only the version accepts, or only its challenger under the same policy; None where both say the same,
    or there is no challenger. Raises RecordUnavailable, RecordInvalid.
    """
    if it.challenger is None:
        return None
    accepts = it.fields["decision"] == "ACCEPT"
    would = policies.verdict(it.fields, it.challenger.probability) == "ACCEPT"
    return None if accepts == would else "out" if accepts else "in"


def _decided(stored: Stored, score: Stored | None, review: Review | None) -> PastDecision:
    try:
        fields = stored.to_link().fields
        return PastDecision(
            key=stored.key,
            month=fields["at"][:7],
            version=fields["model"]["version"],
            probability=float(fields["probability"]),
            verdict=final(fields["decision"], review),
            fields=fields,
            review=review,
            challenger=None if score is None else _score(score.to_link().fields),
        )
    except (RecordInvalid, KeyError, TypeError, ValueError) as error:
        raise RecordInvalid(f"decision {stored.key} is not what was written; credit audit verify says more") from error


def _score(fields: dict[str, Any]) -> Score:
    return Score(fields["model"]["version"], float(fields["probability"]))
