"""`python -m app.callers new NAME --scope predict`: a key on standard error, its entry on standard output.

Two streams, so that the output can be appended to the callers' file and the key cannot get there by mistake.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import get_args

from app.callers.file import NAME, RULES
from app.callers.keys import entry_of, new_key
from app.callers.known import Scope


def name(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise argparse.ArgumentTypeError(f"{text!r} {RULES['name']}")
    return text


def main(arguments: Sequence[str]) -> int:
    """Make one key; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.callers", description="API keys of those who may ask.")
    commands = parser.add_subparsers(required=True)
    new = commands.add_parser("new", help="make a key; its entry goes to standard output, the key to standard error")
    new.add_argument("name", type=name, help="of the caller, for the record, logs and metrics")
    new.add_argument(
        "--scope",
        dest="scopes",
        action="append",
        choices=get_args(Scope),
        required=True,
        help="what the key is for; may be given twice",
    )
    options = parser.parse_args(arguments)
    key = new_key()
    sys.stderr.write(f"key of {options.name}, shown only now: {key}\n")
    sys.stdout.write(entry_of(options.name, key, list(dict.fromkeys(options.scopes))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
