"""Tells a child process to stop: by a signal, or by the end of its parent."""

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopSignal:
    """SIGTERM, SIGINT or the end of standard input, whichever comes first."""

    def __init__(self, stdin: int, wakeup: int) -> None:
        self._sources = [stdin, wakeup]
        self._received = False

    def received(self) -> bool:
        return self.wait(0.0)

    def wait(self, seconds: float) -> bool:
        """Wait for it at most that long; gives whether it has come."""
        while not self._received:
            ready, _, _ = select.select(self._sources, [], [], seconds)
            if not ready:
                break
            for source in ready:
                # Nothing is expected on standard input but its end; a byte of the other is a signal.
                self._received |= (os.read(source, 1024) == b"") == (source == self._sources[0])
        return self._received


@contextmanager
def stop_signal() -> Iterator[StopSignal]:
    """Handle the two signals while it is open; only in the main thread of a process."""
    # A pipe, because a handler that took a lock could wait for the code that it interrupted.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, _nothing) for number in signals}
    wakeup = signal.set_wakeup_fd(writing)
    try:
        yield StopSignal(sys.stdin.fileno(), reading)
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _nothing(_: int, __: FrameType | None) -> None:
    """The byte in the pipe says it all; without a handler the process would just end."""
