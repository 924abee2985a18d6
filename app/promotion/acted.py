"""Promotion as an act: by whom, with whose consent, and kept in the record whatever the gate says."""

import json
import sys

from app.audit.acts import Actor, acting, require_second
from app.exits import DONE
from app.promotion import judging
from app.promotion.judging import Promotion
from app.settings import Settings, load_settings


def promoted(version: str, alias: str, actor: Actor, settings: Settings) -> Promotion:
    """Let an alias name a version that passes the gate. Raises ActRefused, and what judging.promote raises."""
    if alias == "production":
        require_second(settings.audit, actor)
    with acting(settings.audit) as acts:
        promotion = judging.promote(version, alias, settings)
        if acts is not None:
            outcome = "passed" if promotion.passed else "refused"
            acts.keep("promotion", actor, {"version": version, "alias": alias, "gate": outcome})
    return promotion


def promote_and_print(version: str, by: str, reason: str, approved_by: str) -> int:
    """For a process of its own: the promotion to production, as JSON. approved_by: empty where nobody is named."""
    found = promoted(version, "production", Actor(by, reason, approved_by or None), load_settings())
    json.dump(found.to_json(), sys.stdout)
    return DONE
