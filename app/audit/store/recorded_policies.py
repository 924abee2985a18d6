"""Policies read back from the record, to decide as they once decided, and what decided under them."""

from pydantic import ValidationError

from app.audit.store.repository import Store
from app.errors import RecordInvalid
from app.scoring.policy import Policy


def policy_of(store: Store, version: str) -> Policy:
    """The policy of that version. Raises RecordUnavailable, and RecordInvalid when it is missing or not as written."""
    stored = store.latest("policy", version)
    if stored is None:
        raise RecordInvalid(f"the record does not hold policy {version}")
    try:
        policy = Policy.from_json(stored.to_link().fields["policy"])
    except (RecordInvalid, KeyError, ValidationError) as error:
        raise RecordInvalid(f"the record's policy {version} is not what was written") from error
    if policy.version != version:
        raise RecordInvalid(f"what the record holds as policy {version} is policy {policy.version}")
    return policy


def service_of(store: Store, policy_version: str) -> dict[str, str]:
    """The versions of what last decided under that policy; empty where the record does not say.

    Raises RecordUnavailable.
    """
    stored = store.latest("policy", policy_version)
    try:
        found = {} if stored is None else stored.to_link().fields.get("service", {})
    except RecordInvalid:
        return {}
    return found if isinstance(found, dict) else {}
