"""Pulls a model in a child process, so that nothing the registry needs is ever loaded where requests are answered."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path

from app.errors import ModelError
from app.exits import error_of_pull
from app.processes import calling, told

ONE_THREAD = ("env", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
"""The memory that a pull may take is not there for a thread a core."""

COMMAND = (*ONE_THREAD, *calling("app.registry.bounded:pull_and_print"))


async def pull(uri: str, timeout_seconds: float, command: Sequence[str] = COMMAND) -> Path:
    """The cache entry that the URI names now.

    Raises ModelUnavailable or ModelRefused with the child's reason, ModelError when it failed otherwise or took
    too long. No child outlives the call.
    """
    child = await asyncio.create_subprocess_exec(*command, uri, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(timeout_seconds):
            output, errors = await child.communicate()
    except TimeoutError:
        raise ModelError(f"the pull of {uri} took longer than {timeout_seconds:g} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode == 0:
        return Path(output.decode().splitlines()[-1])
    text = errors.decode(errors="replace")
    reason = told(text)
    if reason is None:
        last = (text.splitlines() or ["without a word"])[-1]
        raise ModelError(f"the pull of {uri} ended with code {child.returncode}: {last}")
    raise error_of_pull(child.returncode or 1)(reason)
