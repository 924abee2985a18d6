"""The reference of `credit`, as docs/commands.md: `python -m scripts.commands`."""

from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from app.cli.main import credit

FILE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
WIDTH = 98
HEAD = """# Commands

What `credit COMMAND --help` says, written by `make commands`.
"""


def commands() -> list[tuple[str, ...]]:
    """The path of each command and of each group, in the order of the help."""
    found: list[tuple[str, ...]] = [()]
    for name, command in get_command(credit).commands.items():  # type: ignore[attr-defined]
        found += [(name,), *((name, below) for below in getattr(command, "commands", ()))]
    return found


def help_of(path: tuple[str, ...]) -> str:
    """Its help, WIDTH columns wide."""
    command = [*path, "--help"]
    ended = CliRunner().invoke(credit, command, prog_name="credit", catch_exceptions=False, terminal_width=WIDTH)
    return ended.stdout


def reference() -> str:
    """All of them as Markdown."""
    return "\n".join([HEAD, *(f"## `{' '.join(['credit', *it])}`\n\n```text\n{help_of(it)}```\n" for it in commands())])


if __name__ == "__main__":
    FILE.write_text(reference())
