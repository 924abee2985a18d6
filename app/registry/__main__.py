"""The registry's command line: `pull URI` for the server, everything else for people."""

import argparse
import os
import resource
import sys
from collections.abc import Sequence

from app.errors import CreditError, ModelError, ModelMissing, ModelRefused, ModelUnavailable
from app.registry.pulling import MEGABYTE, pull
from app.settings import load_settings

EXIT_CODES: dict[type[CreditError], int] = {ModelMissing: 5, ModelUnavailable: 3, ModelRefused: 4}
"""What the server, which runs the pull as a child, tells apart, special kinds first; any other error is 1."""

NICENESS = 10
"""A pull takes seconds of a core, which the process that answers requests must not wait for."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code."""
    if arguments[:1] != ["pull"]:
        # A program of people, which the server's child must not load.
        from app.promotion.main import main as for_people

        return for_people(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m app.registry pull", description="Bring a model into the cache and print its folder."
    )
    parser.add_argument("uri", help="models:/name@alias, models:/name/version or runs:/run/path")
    options = parser.parse_args(arguments[1:])
    try:
        return _pull(options.uri)
    except CreditError as error:
        sys.stderr.write(f"error: {error}\n")
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


def _pull(uri: str) -> int:
    settings = load_settings()
    megabytes = settings.serving.pull_memory_megabytes
    os.nice(NICENESS)
    # Data and not address space: the libraries' files are mapped whether they are used or not.
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes * MEGABYTE, megabytes * MEGABYTE))
    try:
        entry = pull(uri, settings)
    except MemoryError as error:
        raise ModelError(f"{uri} needs more memory than serving.pull_memory_megabytes = {megabytes} allows") from error
    sys.stdout.write(f"{os.fspath(entry)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
