"""How much of a writer's folder is not shipped yet, and how old it is."""

from dataclasses import dataclass, field
from pathlib import Path

from app.audit.journal.layout import Progress, file_numbers, file_path, parse_line
from app.errors import RecordInvalid

BLOCK = 1 << 20


@dataclass(slots=True)
class _Count:
    """The complete lines of a file, counted up to the byte `counted`."""

    counted: int
    lines: int = 0


@dataclass(slots=True)
class Backlog:
    """Counts the lines of a writer's folder after its progress, each once, however often it is asked.

    Not shared between threads.
    """

    folder: Path
    _counts: dict[int, _Count] = field(init=False, default_factory=dict)

    def lines(self, progress: Progress) -> int:
        """Complete lines after the progress. Raises OSError."""
        for number, start in unshipped(self.folder, progress):
            count = self._counts.setdefault(number, _Count(start))
            with file_path(self.folder, number).open("rb") as file:
                file.seek(count.counted)
                while block := file.read(BLOCK):
                    count.lines += block.count(b"\n")
                    count.counted += len(block)
        return sum(count.lines for number, count in self._counts.items() if number >= progress.file)

    def shipped(self, lines: int, progress: Progress) -> None:
        """Those lines, up to the new progress and in its file, are no longer part of it."""
        self._counts = {number: count for number, count in self._counts.items() if number >= progress.file}
        if count := self._counts.get(progress.file):
            count.lines -= lines

    def forget(self) -> None:
        """Count again: the progress has moved by another's hand."""
        self._counts.clear()


def unshipped(folder: Path, progress: Progress) -> list[tuple[int, int]]:
    """The files of a writer that may hold lines after the progress, oldest first: number, and offset in bytes."""
    numbers = [number for number in file_numbers(folder) if number >= progress.file]
    return [(number, progress.offset if number == progress.file else 0) for number in numbers]


def oldest_moment(folder: Path, progress: Progress) -> int | None:
    """When the first line after the progress was written, microseconds since 1970; None when there is none.

    Lines that are not what was written have no time, and are passed over. Raises OSError.
    """
    for number, start in unshipped(folder, progress):
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
