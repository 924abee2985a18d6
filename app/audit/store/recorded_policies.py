"""Policies read back from the record, to decide as they once decided, and what decided under them."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from app.audit.store.repository import Store
from app.errors import RecordInvalid
from app.scoring.policy import Policy, Verdict, decide


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


@dataclass(slots=True)
class RecordedPolicies:
    """What the policies of recorded decisions say of other probabilities or thresholds; each is read once."""

    store: Store
    _known: dict[str, tuple[set[str], Policy]] = field(default_factory=dict)
    """By version, with the codes of its rules."""

    def verdict(self, record: dict[str, Any], probability: float, threshold: float | None = None) -> Verdict:
        """Of the application of a recorded decision. threshold: instead of the policy's own.

        Raises RecordUnavailable, RecordInvalid, KeyError and TypeError for what is no decision.
        """
        version = record["policy_version"]
        if version not in self._known:
            policy = policy_of(self.store, version)
            self._known[version] = policy.rule_codes, policy
        rules, policy = self._known[version]
        # A rule that refused is among the reasons, whatever the model scored.
        if any(reason["code"] in rules for reason in record["reasons"]):
            return "REJECT"
        return decide(probability, policy.threshold if threshold is None else threshold, policy.review)


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
