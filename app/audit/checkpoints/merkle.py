"""Merkle trees as RFC 9162 (section 2.1) makes them: one hash for many, and short proofs that one is among them."""

from collections.abc import Sequence
from hashlib import sha256


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The tree's hash, 32 bytes. leaves: in their order, each of any length."""
    return _root([sha256(b"\x00" + leaf).digest() for leaf in leaves])


def path_to(place: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The hashes beside the way from a leaf to the root, from below. place: from 0."""
    return _path(place, [sha256(b"\x00" + leaf).digest() for leaf in leaves])


def root_by(leaf: bytes, place: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root of a tree of that size that has the leaf at that place, by its path; None when there is no such tree.

    By the algorithm of RFC 9162, section 2.1.3.2.
    """
    if not 0 <= place < size:
        return None
    at, last, digest = place, size - 1, sha256(b"\x00" + leaf).digest()
    for beside in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            digest = _node(beside, digest)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            digest = _node(digest, beside)
        at, last = at >> 1, last >> 1
    return digest if last == 0 else None


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def _root(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return sha256(b"").digest()
    # Level by level, where one without a neighbour goes up as it is, gives the same tree without recursion.
    level = list(hashes)
    while len(level) > 1:
        pairs = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0]


def _path(place: int, hashes: Sequence[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    middle = _split(len(hashes))
    if place < middle:
        return [*_path(place, hashes[:middle]), _root(hashes[middle:])]
    return [*_path(place - middle, hashes[middle:]), _root(hashes[:middle])]
