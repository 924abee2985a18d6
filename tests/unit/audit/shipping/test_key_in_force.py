"""The record says by which key it is signed, and from when on another one."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from app.audit.commands.history import history
from app.audit.commands.verify import verify
from app.audit.shipping.key_in_force import keep_key
from app.audit.signing import Signer, Trust
from app.audit.store.repository import Store
from tests.support.records import SIGNER


def test_one_that_somebody_changed_stops_no_shipping(store: Store) -> None:
    keep_key(store, SIGNER)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE entries SET content = replace(content, 'signing_key', 'another')"))
    keep_key(store, SIGNER)
    assert len(store.entries(("act",), None, None)) == 2


def test_a_key_is_told_once_and_a_rotation_is_a_link(store: Store) -> None:
    following = Signer(Ed25519PrivateKey.generate())
    for signer in (SIGNER, SIGNER, following, following):
        keep_key(store, signer)
    told = [line.partition("  ")[2] for line in str(history(store, None, None)).splitlines()]
    assert told == [
        f"signing_key  key {SIGNER.public}; by credit audit ship: no reason given",
        f"signing_key  key {following.public}, before {SIGNER.public}; by credit audit ship: no reason given",
    ]
    trust = Trust(frozenset({SIGNER.public, following.public}))
    assert verify(store, None, None, [], lambda _: None, 0, trust).passed
    # Whoever only trusts the key before sees that another one signed.
    assert not verify(store, None, None, [], lambda _: None, 0, Trust(frozenset({SIGNER.public}))).passed
