"""Reads the API clients from a YAML file; messages about it never quote what it holds, which may be a key."""

from pathlib import Path
from typing import Annotated, Any, NotRequired, get_args

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from app.callers.known import Caller, Callers, Scope
from app.errors import CallersInvalid
from app.settings import Settings
from app.yaml_file import load_strictly

NAME = r"^[a-z0-9][a-z0-9._-]{0,62}$"
"""Fit for log lines and the label of a metric."""

MAKE = "credit keys new NAME --scope predict makes a key and its entry"
RULES = {
    "name": "must be 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit; put a number into quotes",
    "sha256": f"must be the 64 lower-case hexadecimal digits of the key's SHA-256, not the key; {MAKE}",
    "per_minute": "must be a whole number from 1 to 1000000, requests a minute; leave it out for no limit",
    "scopes": f"must be a list of {', '.join(get_args(Scope))}, or of some of them",
}


@with_config(ConfigDict(extra="forbid", strict=True))
class CallerEntry(TypedDict):
    """One API key in the file: its client's name, its hash, and what it may be used for."""

    name: Annotated[str, Field(pattern=NAME)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    per_minute: NotRequired[Annotated[int, Field(ge=1, le=1_000_000)]]


ENTRIES = TypeAdapter(list[CallerEntry])


def load_callers(settings: Settings) -> Callers | None:
    """The API clients of callers.file; None without that setting, where no key is needed. Raises CallersInvalid."""
    path = settings.callers.file
    return None if path is None else parse_callers(read_callers(path), path.name)


def read_callers(path: Path) -> bytes:
    """The content of the file. Raises CallersInvalid when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CallersInvalid(
            f"callers {path} cannot be read: {error.strerror or error}; callers.file in the settings names it"
        ) from error


def parse_callers(content: bytes, name: str) -> Callers:
    """The API clients that a file's content lists. name: of the file, for messages. Raises CallersInvalid."""
    try:
        document = load_strictly(content)
    except yaml.YAMLError as error:
        # No cause either: the parser's own words quote the file.
        raise CallersInvalid(f"callers {name} is not YAML{_place(error)}; {MAKE}") from None
    try:
        entries = ENTRIES.validate_python(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        sentences = dict.fromkeys(_sentence(detail) for detail in found)
        raise CallersInvalid(f"callers {name}: {'; '.join(sentences)}") from None
    callers = [
        Caller(it["name"], bytes.fromhex(it["sha256"]), frozenset(it["scopes"]), it.get("per_minute")) for it in entries
    ]
    owners: dict[bytes, int] = {}
    for index, caller in enumerate(callers, 1):
        if (other := owners.setdefault(caller.digest, index)) != index:
            raise CallersInvalid(
                f"callers {name}: entry {index}: sha256 is that of entry {other}; each needs a key of its own: {MAKE}"
            )
    return Callers(tuple(callers))


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"


def _sentence(detail: Any) -> str:
    """What is wrong in which entry, counted from 1, and how to mend it."""
    place = detail["loc"]
    if not place:
        return f"it must be a list of entries with name, sha256 and scopes, [] when nobody may ask; {MAKE}"
    entry = f"entry {place[0] + 1}"
    if len(place) == 1:
        return f"{entry} must have name, sha256 and scopes; {MAKE}"
    if place[1] not in RULES:
        return f"{entry} has something beside name, sha256, scopes and per_minute; remove it, above all if it is a key"
    return f"{entry}: {place[1]} {RULES[place[1]]}"
