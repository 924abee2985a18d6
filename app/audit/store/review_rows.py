"""What people decided on decisions: those that waited for them, and those that they overrode."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import exists, func, literal_column, select

from app.audit.store.about import links_about
from app.audit.store.repository import Store, Stored
from app.audit.store.schema.tables import decisions, entries
from app.errors import RecordInvalid
from app.scoring.policy import Verdict

Decided = TypeVar("Decided", bound=str | None)


@dataclass(frozen=True, slots=True)
class Review:
    """What one person decided. A later one on the same decision takes its place."""

    decision_id: str
    verdict: Verdict
    by: str
    at: str
    note: str
    """Why, in that person's words: for the lender, not for the applicant."""
    reasons: list[dict[str, Any]]
    """Code and text of what the applicant is told; empty for an ACCEPT."""
    was: Verdict
    """What the service had decided."""
    hash: str

    def told(self) -> dict[str, Any]:
        """For whoever asks for the decision."""
        names = ("verdict", "by", "at", "note", "reasons")
        return {name: getattr(self, name) for name in names}


def final(decided: Decided, review: Review | None) -> Decided | Verdict:
    """What holds, of what the service decided and of what a person did."""
    return decided if review is None else review.verdict


def reviews(store: Store, keys: Sequence[str] | None = None) -> dict[str, Review]:
    """The latest on each of those decisions, or on all that have one, by the decision's id.

    Raises RecordUnavailable, and RecordInvalid when one is not what was written.
    """
    found = {}
    for link in links_about(store, "review", keys):
        try:
            about = {name: link.fields[name] for name in ("verdict", "by", "at", "note", "reasons", "was")}
        except KeyError as error:
            raise RecordInvalid(f"a review lacks {error}; credit audit verify says more") from error
        found[link.key] = Review(link.key, hash=link.hash, **about)
    return found


# As it stands, because the database uses its index of these for nothing else.
_WAITS = (decisions.c.verdict == literal_column("'REVIEW'")) & ~exists().where(
    entries.c.kind == "review", entries.c.key == decisions.c.id
)


def waiting(store: Store, most: int) -> list[Stored]:
    """The decisions that wait for a person, the oldest first, and no more than that many."""
    query = select(decisions.c.id).where(_WAITS).order_by(decisions.c.at, decisions.c.id).limit(most)
    with store.reading() as connection:
        keys = list(connection.execute(query).scalars())
    return store.newest([decisions.c.id.in_(keys)], most)[::-1]


def count_waiting(store: Store) -> tuple[int, int | None]:
    """How many wait, and since when the first does, microseconds since 1970. Raises RecordUnavailable."""
    query = select(func.count(), func.min(decisions.c.at)).where(_WAITS)
    with store.reading() as connection:
        count, oldest = connection.execute(query).one()
    return count, oldest
