"""`credit serve`: hands the process over to the server."""

import os
import sys
from typing import Annotated

import typer

from app.processes import calling

EPILOG = """\b
Examples:
  credit serve
  credit serve --host 0.0.0.0 --port 8000
  MODEL_URI=models:/credit-default-model/3 credit serve

Ends with 0 when it is asked to stop (SIGTERM, Ctrl+C), with 2 when a setting or the port cannot be used."""


def port_of_text(text: str) -> str:
    """A TCP port, 0 for any that is free."""
    if not text.isdecimal() or int(text) > 65535:
        raise typer.BadParameter(f"{text!r} is no port from 0 to 65535")
    return text


def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        str, typer.Option(parser=port_of_text, metavar="PORT", help="Port to listen on; 0 takes a free one.")
    ] = "8000",
    reload: Annotated[bool, typer.Option("--reload", help="Start again when the code changes.")] = False,
) -> None:
    """Serve the model in production over HTTP."""
    program = calling("app.serving.run:serve", host, port, *(["reload"] if reload else []))
    sys.stdout.flush()
    # The same process goes on as the server alone.
    os.execv(program[0], program)
