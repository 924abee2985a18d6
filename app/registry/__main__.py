"""The registry's command line: `python -m app.registry pull URI`."""

import argparse
import os
import sys
from collections.abc import Sequence

from app.errors import CreditError, ModelRefused, ModelUnavailable
from app.registry.pulling import pull
from app.settings import load_settings

EXIT_CODES: dict[type[CreditError], int] = {ModelUnavailable: 3, ModelRefused: 4}
"""What the server, which runs the pull as a child, tells apart; any other error is 1."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.registry", description="The model registry's side.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("pull", help="bring a model into the cache and print its folder")
    command.add_argument("uri", help="models:/name@alias, models:/name/version or runs:/run/path")
    options = parser.parse_args(arguments)
    try:
        entry = pull(options.uri, load_settings())
    except CreditError as error:
        sys.stderr.write(f"error: {error}\n")
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
    sys.stdout.write(f"{os.fspath(entry)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
