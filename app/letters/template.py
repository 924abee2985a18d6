"""The template of the letter: HTML with Jinja2's placeholders, in a sandbox, versioned by its content."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.errors import LetterInvalid

VERSION_DIGITS = 12

EXAMPLE: dict[str, Any] = {
    "to": ["Somebody", "1 Some Street"],
    "today": "2026-01-31",
    "decided": "2026-01-30",
    "application_id": "A-1",
    "decision_id": "01a0c450-6c00-7000-80b6-5093f2a50944",
    "reasons": ["One reason", "Another reason"],
}
"""What a template may use."""


@dataclass(frozen=True, slots=True)
class LetterTemplate:
    """Two templates of the same content have the same version."""

    name: str
    version: str
    _template: Template

    def render(self, values: dict[str, Any]) -> str:
        """The letter as HTML; what is put in is escaped. values: as EXAMPLE. Raises LetterInvalid."""
        try:
            return self._template.render(values).strip() + "\n"
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise LetterInvalid(f"letter template {self.name}: {error}") from error


def read_template(path: Path) -> LetterTemplate:
    """Tried with an example before it is given. Raises LetterInvalid with the line where it is wrong."""
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LetterInvalid(f"letter template {path} cannot be read: {error}") from error
    # A template can neither reach Python's objects nor change what it is given.
    environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    try:
        made = environment.from_string(source)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise LetterInvalid(f"letter template {path.name}{f', line {line}' if line else ''}: {error}") from error
    template = LetterTemplate(path.name, sha256(source.encode()).hexdigest()[:VERSION_DIGITS], made)
    for example in (EXAMPLE, EXAMPLE | {"to": [], "application_id": None, "reasons": EXAMPLE["reasons"][:1]}):
        template.render(example)
    return template
