"""Who runs a command, as far as the system knows."""

import os
from getpass import getuser


def user() -> str:
    """The user of this system; its number where it has no name, as in a container."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
