"""Lets answers wait until their decisions are on the disk, one write of it for all that wait."""

import asyncio

from app.audit.journal.writer import Journal
from app.errors import JournalFailed


class Durability:
    """Of one journal. Every call that comes while the disk is written to waits for the next write, together."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._writing = asyncio.Lock()
        self._asked = 0
        self._written = 0
        self._failed = 0
        self._why = ""

    async def wait(self) -> None:
        """Until all that the journal holds now is on the disk. Raises JournalFailed.

        What a failed write should have brought there is not tried again: all that had been appended by then fails.
        """
        self._asked += 1
        mine = self._asked
        async with self._writing:
            if mine <= self._failed:
                raise JournalFailed(self._why)
            if mine <= self._written:
                return
            asked, sync = self._asked, self._journal.sync()
            try:
                await asyncio.to_thread(sync)
            except JournalFailed as error:
                self._failed, self._why = self._asked, str(error)
                raise
            self._written = asked
