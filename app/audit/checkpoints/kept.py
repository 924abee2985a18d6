"""The checkpoints that are kept, read back and found to be what the service wrote."""

from dataclasses import dataclass, field

from app.audit.checkpoints.checkpoint import Checkpoint, digest_of
from app.audit.checkpoints.places import Place
from app.audit.signing import Trust
from app.audit.store.repository import SignedHead
from app.errors import RecordInvalid


@dataclass(slots=True)
class Kept:
    """What the newest checkpoints say: the last that names every chain, and those after it."""

    ends: dict[str, SignedHead] = field(default_factory=dict)
    """By writer, the end of its chain."""
    checkpoints: int = 0
    at: int | None = None
    """When the last was made, microseconds since 1970; None where there is none."""
    full_at: int | None = None
    last: str | None = None
    """Its document."""
    problems: list[str] = field(default_factory=list)


def read_kept(place: Place, trust: Trust) -> Kept:
    """Read from the last full checkpoint on that the service signed. Raises RecordUnavailable."""
    kept = Kept()
    read = []
    for name in reversed(place.names()):
        if (found := read_one(place, name, trust, kept.problems)) is not None:
            read.append((name, *found))
            if found[0].full:
                break
    for name, made, text in reversed(read):
        if kept.last is not None and made.previous != digest_of(kept.last):
            kept.problems.append(f"checkpoint {name}: the one before it is missing, or another")
        kept.ends |= {it.end.writer: it.end for it in made.covered}
        kept.checkpoints += 1
        kept.at, kept.last = made.at, text
        kept.full_at = made.at if made.full else kept.full_at
    return kept


def read_one(place: Place, name: str, trust: Trust, problems: list[str]) -> tuple[Checkpoint, str] | None:
    """The checkpoint of that name with its document; None when there is none that the service signed.

    problems: gets what is wrong with any version of it. Raises RecordUnavailable.
    """
    found = None
    for text in place.read(name):
        try:
            made = Checkpoint.from_text(text)
            problem = trust.problem(made.statement, made.signature, made.at)
            if problem is None and made.name != name:
                problem = f"it is the one of {made.name}"
        except RecordInvalid as error:
            problem = str(error)
        if problem is None:
            found = made, text
        else:
            problems.append(f"checkpoint {name}: {problem}")
    return found
