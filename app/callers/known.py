"""The API clients, and how one is found by the key that came with a request."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

Scope = Literal["predict", "read", "outcomes", "review", "approve"]
"""predict: ask for decisions. read: ask for the record of one, and what each factor does to one. outcomes: say what
became of one. review: decide in the console. approve: promote models there."""


def digest_of(key: bytes) -> bytes:
    """SHA-256 of a key, which is all that is kept of it: 256 random bits cannot be guessed from a plain hash."""
    return sha256(key).digest()


@dataclass(frozen=True, slots=True)
class Caller:
    """One API key of a client; a client that has several keys has several of these, with one name."""

    name: str
    digest: bytes
    scopes: frozenset[Scope]
    per_minute: int | None = None
    """Most requests that it may make, at each server; None: as many as it likes."""

    def __str__(self) -> str:
        """Tells keys of one client apart, and nothing of the key."""
        return f"{self.name} ({'+'.join(sorted(self.scopes))}) {self.digest.hex()[:8]}"


@dataclass(frozen=True)
class Callers:
    """All API clients."""

    known: tuple[Caller, ...]

    def find(self, key: bytes) -> Caller | None:
        """The client of a key, or None; as quick among many as among few.

        The time may tell how far a digest was compared, but nobody can choose a key by its digest.
        """
        return self._by_digest.get(digest_of(key))

    @cached_property
    def _by_digest(self) -> dict[bytes, Caller]:
        return {caller.digest: caller for caller in self.known}
