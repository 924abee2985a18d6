"""Reads a contract from a YAML file, or says what is wrong with it."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.contract.contract import Contract
from app.errors import ContractInvalid
from app.settings import Settings
from app.yaml_file import load_strictly


def load_contract(settings: Settings) -> Contract:
    """The contract of the settings' file. Raises ContractInvalid."""
    return read_contract(settings.contract.file)


def read_contract(path: Path) -> Contract:
    """Raises ContractInvalid with the file's name and every place that is wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ContractInvalid(f"contract {path} cannot be read: {error.strerror or error}") from error
    return parse_contract(content, path.name)


def parse_contract(content: bytes, name: str) -> Contract:
    """As read_contract, from the file's content; name: of the file."""
    try:
        document = load_strictly(content)
    except yaml.YAMLError as error:
        raise ContractInvalid(f"contract {name} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise ContractInvalid(f"contract {name} must hold outcome, fields and factors")
    try:
        return Contract.from_json(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        sentences = (_sentence(detail, document) for detail in found)
        raise ContractInvalid(f"contract {name}: {'; '.join(sentences)}") from error


def _sentence(detail: Any, document: Any) -> str:
    where = _place(detail["loc"], document)
    if detail["type"] == "missing":
        return f"{where} is missing"
    if detail["type"] == "unexpected_keyword_argument":
        return f"{where} is not known; remove it or correct its spelling"
    if detail["type"] == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    return f"{where} is {detail['input']!r}: {detail['msg']}"


def _place(location: tuple[str | int, ...], document: Any) -> str:
    """As a path, with the names of fields and factors instead of their numbers."""
    parts = []
    for part in location:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            document = None
        named = document.get("name") if isinstance(part, int) and isinstance(document, dict) else None
        parts.append(str(part if named is None else named))
    return ".".join(parts)
