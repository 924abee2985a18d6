"""Programs that tests run: the ones of PATH, or those that `make tools` put into .tools."""

import pytest

from scripts.tools import find, unavailable


def tool(name: str) -> str:
    """The program's path. Skips the test only where `make tools` tried to get it and could not."""
    found = find(name)
    if found is not None:
        return found
    note = unavailable(name)
    if note.exists():
        pytest.skip(f"{name} could not be had: {note.read_text()}")
    pytest.fail(f"{name} is neither on PATH nor in .tools: `make tools` installs it")
