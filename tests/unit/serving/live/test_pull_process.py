import asyncio
import os
import sys
from pathlib import Path

import pytest

from app.errors import ModelError, ModelMissing, ModelRefused, ModelUnavailable
from app.serving.live.pull_process import pull
from harness.waiting import wait_until

URI = "models:/m@production"


def pulled_by(script: str, timeout_seconds: float = 30) -> Path:
    """What a child running that Python script leads to."""
    return asyncio.run(pull(URI, timeout_seconds, (sys.executable, "-c", script)))


def test_the_last_line_that_the_child_prints_is_the_entry() -> None:
    assert pulled_by("print('downloading'); print('/cache/entry')") == Path("/cache/entry")


def test_the_child_is_told_the_uri() -> None:
    assert pulled_by("import sys; print('/cache/' + sys.argv[1])") == Path("/cache") / URI


@pytest.mark.parametrize(
    ("code", "kind"), [(3, ModelUnavailable), (4, ModelRefused), (5, ModelMissing), (1, ModelError)]
)
def test_an_exit_code_says_what_kind_of_error_and_a_line_says_why(code: int, kind: type[ModelError]) -> None:
    script = f"import sys; sys.stderr.write('noise\\nerror: the reason\\nmore noise\\n'); sys.exit({code})"
    with pytest.raises(ModelError, match=r"^the reason$") as caught:
        pulled_by(script)
    assert type(caught.value) is kind


def test_a_child_that_dies_without_a_reason_is_told_by_its_code() -> None:
    with pytest.raises(ModelError, match="ended with code -9: without a word"):
        pulled_by("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


def ends(pid: int) -> None:
    def running() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    wait_until(running, lambda it: not it)


FOREVER = "import os, sys, time, pathlib; pathlib.Path({!r}).write_text(str(os.getpid())); time.sleep(600)"


def test_a_child_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(ModelError, match="took longer than 2 s"):
        pulled_by(FOREVER.format(str(pid)), timeout_seconds=2)
    ends(int(pid.read_text()))


def test_cancelling_the_pull_kills_the_child(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    async def cancelled() -> None:
        task = asyncio.create_task(pull(URI, 600, (sys.executable, "-c", FOREVER.format(str(pid)))))
        await asyncio.to_thread(wait_until, lambda: pid.read_text(), lambda text: text != "", 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    ends(int(pid.read_text()))
