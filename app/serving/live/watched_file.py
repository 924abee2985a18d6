"""Keeps what a file says in force, without a restart."""

import asyncio
from abc import ABC, abstractmethod


class FileWatch(ABC):
    """Looks at a file again and again, for its content: Kubernetes changes a mounted file by moving a link.

    A file that cannot be used is tried and counted each time, so that the alert holds until it is mended.
    """

    def __init__(self, poll_seconds: float) -> None:
        self._poll_seconds = poll_seconds
        self._taken: bytes | None = None

    @abstractmethod
    def read(self) -> bytes:
        """The content; runs in a thread."""

    @abstractmethod
    async def take(self, content: bytes) -> None:
        """Put it in force; raises when it cannot be used."""

    @abstractmethod
    def keep(self, error: Exception) -> None:
        """Keep what is in force: this error came instead."""

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(self._poll_seconds)

    async def step(self) -> None:
        """See once what should be in force, and make it so."""
        try:
            found = await asyncio.to_thread(self.read)
            if found == self._taken:
                return
            await self.take(found)
        except Exception as error:
            self._taken = None
            self.keep(error)
        else:
            self._taken = found
