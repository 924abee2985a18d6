"""`credit` within the tests' own process."""

import pytest

from app.cli.main import main


def credit(*arguments: str) -> int:
    """Run one command; gives its exit code."""
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main(arguments))
    code = ended.value.code
    assert isinstance(code, int)
    return code
