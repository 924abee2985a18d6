"""Makes the next checkpoint from the record's database."""

from dataclasses import asdict, dataclass
from typing import Any

from app.audit.checkpoints.checkpoint import Checkpoint, Covered, digest_of
from app.audit.checkpoints.kept import Kept, read_kept
from app.audit.checkpoints.merkle import root_of
from app.audit.checkpoints.places import Place
from app.audit.signing import Signer, Trust
from app.audit.store.repository import Store
from app.times import microseconds_now, utc


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A checkpoint that is kept."""

    name: str
    writers: int
    links: int
    root: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.links:,} links since the one before, ends of {self.writers:,} chains, root {self.root}"
        )


def checkpoint(store: Store, place: Place, signer: Signer, trust: Trust) -> Checkpointed:
    """Sign where all chains end, and keep that. The first of a day (UTC) names every chain, others those that grew.

    Raises RecordUnavailable.
    """
    at = microseconds_now()
    before = read_kept(place, trust)
    covered = _covered(store, before)
    leaves = leaves_of(store, covered)
    full = before.full_at is None or utc(before.full_at)[:10] != utc(at)[:10]
    if full:
        here = {span.writer for span in store.spans()}
        covered = [it for it in covered if it.links or it.end.writer in here]
    else:
        covered = [it for it in covered if it.links]
    previous = None if before.last is None else digest_of(before.last)
    made = Checkpoint(at, full, previous, root_of(leaves).hex(), covered).signed(signer)
    place.write(made.name, made.to_text())
    return Checkpointed(made.name, len(covered), len(leaves), made.root)


def _covered(store: Store, before: Kept) -> list[Covered]:
    known = {it.writer: it.sequence for it in before.ends.values()}
    return [Covered(min(known.get(it.writer, 0), it.sequence), it) for it in store.heads()]


def leaves_of(store: Store, covered: list[Covered]) -> list[bytes]:
    """The hashes of the links that a checkpoint covers, in the order of its tree."""
    found = (store.digests(it.end.writer, it.after + 1, it.end.sequence) for it in covered if it.links)
    return [bytes.fromhex(digest) for digests in found for digest in digests]
