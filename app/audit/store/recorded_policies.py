"""The policies that the record holds."""

from pydantic import ValidationError

from app.audit.chain import link_of
from app.audit.store.repository import Store
from app.errors import RecordInvalid
from app.scoring.policy import Policy


def policy_of(store: Store, version: str) -> Policy:
    """The one that decided under that version. Raises RecordUnavailable, RecordInvalid."""
    stored = store.policy(version)
    if stored is None:
        raise RecordInvalid(f"the record does not hold policy {version}")
    try:
        policy = Policy.from_json(link_of(stored.hash, stored.content).fields["policy"])
    except (RecordInvalid, KeyError, ValidationError) as error:
        raise RecordInvalid(f"the record's policy {version} is not what was written") from error
    if policy.version != version:
        raise RecordInvalid(f"what the record holds as policy {version} is policy {policy.version}")
    return policy
