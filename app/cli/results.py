"""What a command found, for people or for programs, and the exit code that goes with it."""

import json
from typing import Annotated, Any, Protocol

import typer

from app.exits import DONE, REFUSED

AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Write a page of Markdown.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]


class Result(Protocol):
    """`str` is for people. Where it has `passed`, False means that the answer is no."""

    def to_json(self) -> dict[str, Any]: ...


class MarkdownResult(Result, Protocol):
    """One that can be a page."""

    def to_markdown(self) -> str: ...


def finish_report(result: MarkdownResult, as_json: bool, as_markdown: bool) -> None:
    """As finish, for one that can be a page too."""
    if as_json and as_markdown:
        raise typer.BadParameter("--json and --markdown are two forms; ask for one of them")
    if as_markdown:
        typer.echo(result.to_markdown())
        raise typer.Exit(DONE)
    finish(result, as_json)


def finish(result: Result, as_json: bool) -> None:
    """Write the result and end the command: raises typer.Exit."""
    typer.echo(json.dumps(_without_nan(result.to_json()), indent=2) if as_json else str(result))
    raise typer.Exit(DONE if getattr(result, "passed", True) else REFUSED)


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: what could not be measured is null."""
    if isinstance(value, dict):
        return {key: _without_nan(it) for key, it in value.items()}
    if isinstance(value, list):
        return [_without_nan(it) for it in value]
    return None if isinstance(value, float) and value != value else value
