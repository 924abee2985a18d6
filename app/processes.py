"""The same code in another process, without the command line around it.

`credit` loads typer, 3 MB and a fifth of a second that a server, and what it starts beside itself, have no use for.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from app.errors import CreditError
from app.exits import FAILED, tell
from app.extras import not_installed

# As app.settings has it, which takes longer to import than all that this module is there to save.
ROOT = Path(__file__).resolve().parent.parent
START = "import sys; sys.path.insert(0, {root!r}); from app.processes import enter; sys.exit(enter(sys.argv[1:]))"


def calling(entry: str, *arguments: str) -> tuple[str, ...]:
    """The command that calls a function in a new process.

    entry: module:function; the function takes its arguments as text and gives the exit code. Neither PATH nor the
    folder that the process starts in matters: it is this interpreter, and the copy of the code that runs here.
    """
    return (sys.executable, "-P", "-c", START.format(root=str(ROOT)), entry, *arguments)


def told(errors: str) -> str | None:
    """The reason that a child gave on its standard error, as `app.exits.tell` writes it; None where it gave none."""
    lines = (line for line in reversed(errors.splitlines()) if line.startswith("error: "))
    reason = next(lines, None)
    return None if reason is None else reason.removeprefix("error: ")


def enter(arguments: Sequence[str]) -> int:
    """Call what `calling` named; gives its exit code, FAILED after an error of this project's, which is told.

    So is a package that is not installed.
    """
    module, _, name = arguments[0].partition(":")
    try:
        code: int = getattr(import_module(module), name)(*arguments[1:])
    except CreditError as error:
        tell(error)
        return FAILED
    except ModuleNotFoundError as error:
        missing = not_installed(error)
        if missing is None:
            raise
        tell(CreditError(missing))
        return FAILED
    return code
