"""Tells in the record by which key it is signed, and from when on: a rotation is a link."""

from app.audit.acts import Actor, keep_act
from app.audit.signing import Signer
from app.audit.store.repository import Store

WHAT = "signing_key"
SHIPPER = "credit audit ship"


def keep_key(store: Store, signer: Signer) -> None:
    """An act, where the latest of its kind names another key or there is none. Raises RecordError."""
    latest = [it.to_link().fields["about"]["key"] for it in store.acts((WHAT,), 1)]
    if latest != [signer.public]:
        about = {"key": signer.public, "before": latest[0] if latest else ""}
        keep_act(store, signer, WHAT, Actor(SHIPPER, ""), about)
