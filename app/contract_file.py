"""Reads a contract from a YAML file, or says what is wrong with it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.contract.contract import Contract, ContractFaults, Fault
from app.errors import ContractInvalid
from app.settings import Settings
from app.yaml_file import load_strictly


def load_contract(settings: Settings) -> Contract:
    """The contract of the settings' file. Raises ContractInvalid."""
    return read_contract(settings.contract.file)


def read_contract(path: Path) -> Contract:
    """Raises ContractInvalid with the file's name, and every place that is wrong by its line."""
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
        tree = yaml.compose(content, yaml.SafeLoader)
        faults = (fault for detail in error.errors(include_url=False) for fault in _faults(detail, document))
        sentences = (f"{sentence} (line {_line(tree, place)})" for place, sentence in faults)
        raise ContractInvalid(f"contract {name}: {'; '.join(sentences)}") from error


def _faults(detail: Any, document: Any) -> Iterable[Fault]:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, ContractFaults):
        return cause.faults
    place = detail["loc"]
    where = _named(place, document)
    if detail["type"] == "missing":
        return [(place[:-1], f"{where} is missing")]
    if detail["type"] == "unexpected_keyword_argument":
        return [(place, f"{where} is not known; remove it or correct its spelling")]
    return [(place, f"{where} is {detail['input']!r}: {detail['msg']}")]


def _line(node: Any, place: Sequence[str | int]) -> int:
    """The line, from 1, on which the part of a YAML file at that place begins, or the last one on the way to it."""
    line: int = node.start_mark.line + 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if getattr(key, "value", None) == str(part)]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = [(node.value[part], node.value[part])]
        else:
            found = []
        if not found:
            return line
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line


def _named(location: Sequence[str | int], document: Any) -> str:
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
