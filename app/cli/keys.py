"""`credit keys`: API keys of those who may ask.

The key goes to standard error and its entry to standard output, so that the output can be appended to the file of the
API clients and the key cannot get there by mistake.
"""

import re
from typing import Annotated, get_args

import typer

from app.callers.known import Scope

commands = typer.Typer(help="Make API keys.", no_args_is_help=True, rich_markup_mode=None)

EPILOG = """\b
Examples:
  credit keys new branch-office --scope predict >> callers.yaml
  credit keys new auditor --scope read --scope predict
  credit keys new website --scope predict --per-minute 600 >> callers.yaml

The key is shown once, on standard error; the entry on standard output holds only its hash."""


@commands.callback()
def keys() -> None:
    """Keeps `new` a command of its own, though there is no other."""


def name_of_text(text: str) -> str:
    """A name that the file of the API clients may hold."""
    from app.callers.file import NAME, RULES

    if not re.fullmatch(NAME, text):
        raise typer.BadParameter(f"{text!r} {RULES['name']}")
    return text


def scope_of_text(text: str) -> str:
    """One of what a key can be for."""
    if text not in get_args(Scope):
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(get_args(Scope))}")
    return text


@commands.command(epilog=EPILOG)
def new(
    name: Annotated[
        str,
        typer.Argument(parser=name_of_text, metavar="NAME", help="Of the client, for the record, logs and metrics."),
    ],
    scopes: Annotated[
        list[str],
        typer.Option(
            "--scope",
            parser=scope_of_text,
            metavar="|".join(get_args(Scope)),
            help="What the key is for; may be given twice.",
        ),
    ],
    per_minute: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1_000_000, help="Most requests a minute, at each server."),
    ] = None,
) -> None:
    """Make a key for an API client.

    Its entry for the file of the API clients goes to standard output, the key itself to standard error.
    """
    from app.callers.new_key import entry_of, new_key

    key = new_key()
    typer.echo(f"key of {name}, shown only now: {key}", err=True)
    typer.echo(entry_of(name, key, list(dict.fromkeys(scopes)), per_minute), nl=False)
