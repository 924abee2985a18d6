"""A pull that takes no more than it may of the memory and the cores that it shares with the server."""

import os
import resource
import sys

from app.errors import CreditError, ModelError
from app.exits import DONE, code_of_pull, tell
from app.registry.pulling import MEGABYTE, pull
from app.settings import load_settings

NICENESS = 10
"""A pull takes seconds of a core, which the process that answers requests must not wait for."""


def pull_and_print(uri: str) -> int:
    """Bring the model into the cache and print its folder; gives the exit code, one of app.exits.PULL_CODES.

    The bounds stay with the process, which has to end afterwards.
    """
    try:
        folder = _pull(uri)
    except CreditError as error:
        tell(error)
        return code_of_pull(error)
    sys.stdout.write(f"{folder}\n")
    return DONE


def _pull(uri: str) -> str:
    settings = load_settings()
    megabytes = settings.serving.pull_memory_megabytes
    os.nice(NICENESS)
    # Data and not address space: the libraries' files are mapped whether they are used or not.
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes * MEGABYTE, megabytes * MEGABYTE))
    try:
        return os.fspath(pull(uri, settings))
    except MemoryError as error:
        raise ModelError(f"{uri} needs more memory than serving.pull_memory_megabytes = {megabytes} allows") from error
