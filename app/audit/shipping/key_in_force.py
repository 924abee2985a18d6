"""Tells in the record by which key it is signed, and from when on: a rotation is a link."""

from app.audit.acts import Actor, keep_act
from app.audit.signing import Signer
from app.audit.store.repository import Store
from app.errors import RecordInvalid

WHAT = "signing_key"
"""Also the key of these acts, by which the latest is found without a search through all others."""
SHIPPER = "credit audit ship"


def keep_key(store: Store, signer: Signer) -> None:
    """An act, where the latest of its kind names another key or there is none. Raises RecordError."""
    before = _latest(store)
    if before != signer.public:
        keep_act(store, signer, WHAT, Actor(SHIPPER, ""), {"key": signer.public, "before": before}, key=WHAT)


def _latest(store: Store) -> str:
    """Empty where there is none, or where somebody changed it, which verify tells and which stops no shipping."""
    stored = store.latest("act", WHAT)
    try:
        return "" if stored is None else str(stored.to_link().fields["about"]["key"])
    except (RecordInvalid, KeyError, TypeError):
        return ""
