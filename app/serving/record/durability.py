"""Lets answers wait until their decisions are on the disk, one write of it for all that wait."""

import asyncio

from app.audit.journal.writer import Journal


class Durability:
    """Of one journal. Every call that comes while the disk is written to waits for the next write, together."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._writing = asyncio.Lock()
        self._asked = 0
        self._written = 0

    async def wait(self) -> None:
        """Until all that the journal holds now is on the disk. Raises JournalFailed."""
        self._asked += 1
        mine = self._asked
        async with self._writing:
            if self._written >= mine:
                return
            asked, sync = self._asked, self._journal.sync()
            await asyncio.to_thread(sync)
            self._written = asked
