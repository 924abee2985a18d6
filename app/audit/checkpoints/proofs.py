"""Proves one decision to somebody who has neither the database nor any other decision.

A proof holds the decision's content, the hashes beside its way to the root of a checkpoint's tree, and the checkpoint.
Whoever has the service's public key, or the checkpoint from elsewhere, can check it with SHA-256 and Ed25519 alone.
"""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from app.audit.chain import link_of
from app.audit.checkpoints.checkpoint import Checkpoint
from app.audit.checkpoints.kept import read_one
from app.audit.checkpoints.making import leaves_of
from app.audit.checkpoints.merkle import path_to, root_by, root_of
from app.audit.checkpoints.places import Place
from app.audit.signing import Trust
from app.audit.store.repository import Store
from app.errors import RecordInvalid
from app.times import utc


@dataclass(frozen=True, slots=True)
class Proof:
    """Of one link. content: that is proven; place: of its leaf in the checkpoint's tree of that size."""

    content: str
    place: int
    size: int
    path: list[str]
    checkpoint: str

    def to_text(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class ProofChecked:
    """What a proof shows."""

    decision_id: str
    decision: str
    at: str
    checkpoint: str
    """When it was made."""
    root: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"OK: {self.decision_id}, {self.decision} at {self.at}, is in the checkpoint of {self.checkpoint},"
            f" root {self.root}"
        )


def prove(store: Store, key: str, place: Place, trust: Trust) -> Proof:
    """The proof of a decision. key: its id.

    Raises RecordUnavailable, and RecordInvalid when there is no such decision, or no checkpoint covers it.
    """
    stored = store.decision(key)
    if stored is None:
        raise RecordInvalid(f"the database holds no decision {key}; it may be in the journal still")
    stored.to_link()
    # The first that was made after the decision and covers it: a journal may have waited for its database.
    earliest = Checkpoint(stored.at, False, None, "", []).name
    for name in (it for it in place.names() if it >= earliest[: len("2026/01/20260131T120000")]):
        found = read_one(place, name, trust, [])
        if found is None:
            continue
        made, text = found
        before = 0
        for it in made.covered:
            if it.end.writer == stored.writer and it.after < stored.sequence <= it.end.sequence:
                leaves = leaves_of(store, list(made.covered))
                at = before + stored.sequence - it.after - 1
                if root_of(leaves).hex() != made.root or leaves[at].hex() != stored.hash:
                    raise RecordInvalid(
                        f"the record is not what checkpoint {name} says that it was, or retention took a part of it;"
                        " credit audit verify says which"
                    )
                path = [step.hex() for step in path_to(at, leaves)]
                return Proof(stored.content, at, len(leaves), path, text)
            before += it.links
    raise RecordInvalid(f"no checkpoint covers decision {key} yet; credit audit checkpoint makes the next one")


def check(text: str, trust: Trust) -> ProofChecked:
    """Check a proof without any database. Raises RecordInvalid, which says what does not fit."""
    try:
        proof = Proof(**json.loads(text))
        path = [bytes.fromhex(step) for step in proof.path]
        leaf = sha256(proof.content.encode())
        made = Checkpoint.from_text(proof.checkpoint)
        root = root_by(leaf.digest(), proof.place, proof.size, path)
    except (ValueError, TypeError, AttributeError) as error:
        raise RecordInvalid(f"this is no proof as credit audit prove writes it ({type(error).__name__})") from error
    if (problem := trust.problem(made.statement, made.signature, made.at)) is not None:
        raise RecordInvalid(f"the checkpoint: {problem}")
    if root is None or root.hex() != made.root:
        raise RecordInvalid("the decision is not in the checkpoint's tree: it, or the proof, was changed")
    link = link_of(leaf.hexdigest(), proof.content)
    return ProofChecked(link.key, str(link.fields.get("decision")), utc(link.at), utc(made.at), made.root)
