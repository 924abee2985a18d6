"""How each command ends: its exit code, and the one line on standard error that says what went wrong."""

import sys

from app.errors import CreditError, ModelError, ModelMissing, ModelRefused, ModelUnavailable

DONE = 0
REFUSED = 1
"""The command did its work and the answer is no: the gate refused, or a record is not what was written."""
FAILED = 2
"""It could not be done; also a command line that cannot be understood."""

PULL_FAILED = 1
PULL_CODES: dict[type[ModelError], int] = {ModelMissing: 5, ModelUnavailable: 3, ModelRefused: 4}
"""Of `credit registry pull`, special kinds first: the server runs it as a child and tells these apart. Any other error
is PULL_FAILED."""


def code_of_pull(error: CreditError) -> int:
    """The exit code of a pull that ended with this error."""
    return next((code for kind, code in PULL_CODES.items() if isinstance(error, kind)), PULL_FAILED)


def error_of_pull(code: int) -> type[ModelError]:
    """The kind of error of a pull that ended with this exit code."""
    return next((kind for kind, known in PULL_CODES.items() if known == code), ModelError)


def tell(error: CreditError) -> None:
    """Write what went wrong as the first line; below it, of a registry that does not answer, what MLflow says."""
    sys.stderr.write(f"error: {error}\n")
    cause = error.__cause__
    if type(error) is ModelUnavailable and cause is not None:
        sys.stderr.write(f"cause: {next(iter(str(cause).splitlines()), type(cause).__name__)}\n")
