"""Asks the gate in a child process: a judgement takes seconds of one core, and pages must not wait for it."""

import json
import subprocess
from dataclasses import dataclass

from app.audit.acts import Actor
from app.errors import ModelError
from app.exits import DONE
from app.processes import calling, told

SECONDS = 900
"""After which a judgement is given up."""
ENTRY = "app.promotion.acted:promote_and_print"


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What the gate said, and so whether production names the version now."""

    passed: bool
    reasons: list[str]


def promote_in_child(version: str, actor: Actor) -> GateAnswer:
    """Promote a version to production, as `credit registry promote` does. Raises ModelError with the child's reason."""
    command = calling(ENTRY, version, actor.by, actor.reason, actor.approved_by or "")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ModelError(f"judging version {version} took longer than {SECONDS} s and was given up") from None
    if done.returncode != DONE:
        raise ModelError(told(done.stderr) or f"judging version {version} ended with code {done.returncode}")
    found = json.loads(done.stdout.splitlines()[-1])
    return GateAnswer(found["passed"], found["reasons"])
