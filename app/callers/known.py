"""The callers that are known, and how one is found by the key that came with a request."""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

Scope = Literal["predict", "read"]
"""predict: ask for decisions. read: ask for the record of one."""


def digest_of(key: bytes) -> bytes:
    """What is kept of a key. A plain hash is enough: a key of 256 random bits cannot be guessed from it."""
    return sha256(key).digest()


@dataclass(frozen=True, slots=True)
class Caller:
    """One key of a caller: several with the same name are several keys of the same caller."""

    name: str
    digest: bytes
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Callers:
    """Everybody who may ask."""

    known: tuple[Caller, ...]

    def find(self, key: bytes) -> Caller | None:
        """The owner of a key. Looks at all of them whatever it finds, so that the time tells nothing about where."""
        digest = digest_of(key)
        found = None
        for caller in self.known:
            if hmac.compare_digest(digest, caller.digest):
                found = caller
        return found
