"""One checkpoint: where chains ended at a moment, and one hash for all links since the checkpoint before.

It can be published: it says nothing of what was decided.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Self

from app.audit.signing import Signature, Signer
from app.audit.store.repository import SignedHead
from app.errors import RecordInvalid
from app.times import microseconds, utc


@dataclass(frozen=True, slots=True)
class Covered:
    """The end of a chain, as the service signed it, and what of the chain a checkpoint is about."""

    after: int
    """The links after this sequence number, up to the end."""
    end: SignedHead

    @property
    def links(self) -> int:
        return self.end.sequence - self.after


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement about all chains, or about those that have grown since the one before."""

    at: int
    """Microseconds since 1970."""
    full: bool
    """Whether it names every chain that still has links."""
    previous: str | None
    """SHA-256 of the document before it, in hex; None for the first."""
    root: str
    """Of the Merkle tree over the hashes of the covered links, in their order, in hex."""
    covered: Sequence[Covered]
    signature: Signature | None = None

    @property
    def name(self) -> str:
        """What its document is called: names in order are checkpoints in order."""
        moment = utc(self.at)
        digits = moment.replace("-", "").replace(":", "")
        return f"{moment[:4]}/{moment[5:7]}/{digits}{FULL if self.full else PART}"

    @property
    def statement(self) -> str:
        """What is signed."""
        return f"credit checkpoint\n{sha256(_text(self._content()).encode()).hexdigest()}"

    def signed(self, signer: Signer) -> Self:
        return replace(self, signature=signer.sign(self.statement))

    def to_text(self) -> str:
        """The document, JSON on one line."""
        assert self.signature is not None
        return _text(self._content() | {"key": self.signature.key, "signature": self.signature.value})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The inverse of to_text. Raises RecordInvalid."""
        try:
            read = json.loads(text)
            covered = [
                Covered(it["after"], SignedHead(**{name: it[name] for name in HEAD} | {"at": microseconds(it["at"])}))
                for it in read["heads"]
            ]
            signature = Signature(read["key"], read["signature"])
            made = cls(microseconds(read["at"]), read["full"], read["previous"], read["root"], covered, signature)
        except (ValueError, KeyError, TypeError) as error:
            raise RecordInvalid(f"it is no checkpoint ({type(error).__name__})") from error
        if made.to_text() != text:
            raise RecordInvalid("it is no checkpoint as one is written")
        return made

    def _content(self) -> dict[str, Any]:
        heads = [asdict(it.end) | {"at": utc(it.end.at), "after": it.after} for it in self.covered]
        told = {"at": utc(self.at), "full": self.full, "previous": self.previous, "root": self.root}
        return told | {"heads": heads}


FULL, PART = ".full.json", ".json"
HEAD = ("writer", "sequence", "hash", "key", "signature")


def digest_of(text: str) -> str:
    """What the checkpoint after a document names it by."""
    return sha256(text.encode()).hexdigest()


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
