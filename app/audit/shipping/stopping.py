"""Notices that a child process should end: its parent says so, or is no more."""

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Asked for by SIGTERM or SIGINT, or by the end of standard input."""

    def __init__(self, stdin: int, wakeup: int) -> None:
        self._sources = [stdin, wakeup]
        self._asked = False

    def asked(self) -> bool:
        return self.wait(0.0)

    def wait(self, seconds: float) -> bool:
        """Until it is asked for, at most that long; gives whether it is."""
        while not self._asked:
            ready, _, _ = select.select(self._sources, [], [], seconds)
            if not ready:
                break
            for source in ready:
                # Nothing is expected on standard input but its end; a byte of the other is a signal.
                self._asked |= (os.read(source, 1024) == b"") == (source == self._sources[0])
        return self._asked


@contextmanager
def stopping() -> Iterator[Stop]:
    """For the main thread of the process."""
    # A pipe, because a handler that took a lock could wait for the code that it interrupted.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, _nothing) for number in signals}
    wakeup = signal.set_wakeup_fd(writing)
    try:
        yield Stop(sys.stdin.fileno(), reading)
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _nothing(_: int, __: FrameType | None) -> None:
    """The byte in the pipe says it all; without a handler the process would just end."""
