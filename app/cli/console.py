"""`credit console`: pages for people."""

from typing import Annotated

import typer

from app.cli.serve import port_of_text

EPILOG = """\b
Example:
  credit console --port 8080

Without callers.file it listens on this machine alone, and whoever uses it is the user of this system."""


def console(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[str, typer.Option(parser=port_of_text, metavar="PORT", help="Port to listen on.")] = "8080",
) -> None:
    """Show decisions, reasons, letters and outcomes as pages."""
    from app.console.console_server import serve_console

    serve_console(host, int(port))
