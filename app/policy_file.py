"""Reads a policy from a YAML file, or says what is wrong with it."""

from typing import Any

import yaml
from pydantic import ValidationError

from app.contract_file import load_contract
from app.errors import PolicyInvalid
from app.scoring.policy import Policy
from app.settings import Settings
from app.yaml_file import load_strictly


def load_policy(settings: Settings) -> Policy:
    """The policy in force: the file's, with the threshold of the settings where that is set.

    Raises PolicyInvalid, also when it lacks words for a factor of the contract, and ContractInvalid.
    """
    return parse_policy(read_policy(settings), settings)


def read_policy(settings: Settings) -> bytes:
    """The file's content. Raises PolicyInvalid."""
    path = settings.decision.policy_file
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyInvalid(f"policy {path} cannot be read: {error.strerror or error}") from error


def parse_policy(content: bytes, settings: Settings) -> Policy:
    """As load_policy, from the file's content."""
    name = settings.decision.policy_file.name
    try:
        document = load_strictly(content)
    except yaml.YAMLError as error:
        raise PolicyInvalid(f"policy {name} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise PolicyInvalid(f"policy {name} must hold threshold, reasons and unexplained")
    if settings.decision.threshold is not None:
        document["threshold"] = settings.decision.threshold
    try:
        policy = Policy.from_json(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise PolicyInvalid(f"policy {name}: {'; '.join(_sentence(detail) for detail in found)}") from error
    if problems := [*policy.problems(load_contract(settings))]:
        raise PolicyInvalid(f"policy {name}: {'; '.join(problems)}")
    return policy


def _sentence(detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{where} is missing"
    if detail["type"] == "unexpected_keyword_argument":
        return f"{where} is not known; remove it or correct its spelling"
    if detail["type"] == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    return f"{where} is {detail['input']!r}: {detail['msg']}"
