"""How much of a writer's folder is not shipped yet, and how old it is."""

from dataclasses import dataclass, field
from pathlib import Path

from app.audit.journal.layout import Checkpoint, file_numbers, file_path, parse_line
from app.errors import RecordInvalid

BLOCK = 1 << 20


@dataclass(slots=True)
class _Count:
    """The complete lines of a file, counted up to the byte `counted`."""

    counted: int
    lines: int = 0


@dataclass(slots=True)
class Backlog:
    """Counts the lines of a writer's folder after its checkpoint, each once, however often it is asked.

    Not shared between threads.
    """

    folder: Path
    _counts: dict[int, _Count] = field(init=False, default_factory=dict)

    def lines(self, checkpoint: Checkpoint) -> int:
        """Complete lines after the checkpoint. Raises OSError."""
        for number, start in unshipped(self.folder, checkpoint):
            count = self._counts.setdefault(number, _Count(start))
            with file_path(self.folder, number).open("rb") as file:
                file.seek(count.counted)
                while block := file.read(BLOCK):
                    count.lines += block.count(b"\n")
                    count.counted += len(block)
        return sum(count.lines for number, count in self._counts.items() if number >= checkpoint.file)

    def shipped(self, lines: int, checkpoint: Checkpoint) -> None:
        """Those lines, up to the new checkpoint and in its file, are no longer part of it."""
        self._counts = {number: count for number, count in self._counts.items() if number >= checkpoint.file}
        if count := self._counts.get(checkpoint.file):
            count.lines -= lines

    def forget(self) -> None:
        """Count again: the checkpoint has moved by another's hand."""
        self._counts.clear()


def unshipped(folder: Path, checkpoint: Checkpoint) -> list[tuple[int, int]]:
    """The files of a writer that may hold lines after the checkpoint, oldest first: number, and offset in bytes."""
    numbers = [number for number in file_numbers(folder) if number >= checkpoint.file]
    return [(number, checkpoint.offset if number == checkpoint.file else 0) for number in numbers]


def oldest_moment(folder: Path, checkpoint: Checkpoint) -> int | None:
    """When the first line after the checkpoint was written, microseconds since 1970; None when there is none.

    Lines that are not what was written have no time, and are passed over. Raises OSError.
    """
    for number, start in unshipped(folder, checkpoint):
        with file_path(folder, number).open("rb") as file:
            file.seek(start)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                try:
                    return parse_line(line).at
                except RecordInvalid:
                    continue
    return None
