"""How much work waits at this moment, and how many bytes of bodies: what more requests are refused by."""

import asyncio

from app.serving.http.paths import KIB, MIB

MOST_WAITING = 500
"""Units of work, some 50 ms of it: were there no end, all would be answered too late."""

BATCH_BYTES_A_UNIT = 8 * KIB
"""Of a body: a row of a batch costs a twentieth of a single decision, and others are answered between its slices."""

MOST_HELD_BYTES = 32 * MIB
"""Of all bodies that are being read or worked on together, a small part of a pod's memory."""


class Load:
    """Counts what is under way in one process. A unit is a single decision, or a part of a batch."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self._under_way = 0
        self._in_turn = 0

    @property
    def too_high(self) -> bool:
        """Whether another decision would come too late."""
        return self._under_way + self._in_turn >= MOST_WAITING

    def begin(self, units: int) -> None:
        """A decision whose body is complete."""
        self._under_way += units

    def end(self, units: int) -> None:
        """It is answered, or has failed."""
        self._under_way -= units
        self.count(units)

    def count(self, units: int) -> None:
        """What was answered since the loop last looked whether others have come made those wait."""
        if not self._in_turn:
            asyncio.get_running_loop().call_soon(self._end_turn)
        self._in_turn += units

    def _end_turn(self) -> None:
        self._in_turn = 0


def units_of(body_bytes: int) -> int:
    """The work of a decision by the length of its body."""
    return 1 + body_bytes // BATCH_BYTES_A_UNIT
