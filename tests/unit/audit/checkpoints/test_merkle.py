"""The trees are those of RFC 9162, and a path proves its own leaf at its own place alone."""

from hashlib import sha256

import pytest
from hypothesis import given, strategies as st

from app.audit.checkpoints.merkle import path_to, root_by, root_of

# The inputs and roots that Certificate Transparency's own implementations are tested with.
INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
LEAVES = [bytes.fromhex(it) for it in INPUTS]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", sorted(ROOTS))
def test_the_root_is_the_one_that_others_compute(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_a_tree_without_leaves_has_a_root_too() -> None:
    assert root_of([]) == sha256(b"").digest()


@given(st.integers(1, 70))
def test_every_leaf_is_proven_by_its_path(size: int) -> None:
    leaves = [bytes([it]) for it in range(size)]
    root = root_of(leaves)
    for place, leaf in enumerate(leaves):
        path = path_to(place, leaves)
        assert root_by(leaf, place, size, path) == root
        assert root_by(b"other", place, size, path) != root
        assert root_by(leaf, (place + 1) % size, size, path) != root or size == 1
        assert root_by(leaf, place, size, [*path, root]) != root
        assert not path or root_by(leaf, place, size, path[:-1]) != root


def test_a_place_outside_the_tree_is_none() -> None:
    assert root_by(b"", 3, 3, []) is None
    assert root_by(b"", -1, 3, []) is None
