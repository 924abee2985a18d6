"""The journal as the shipper reads it: batch after batch of a writer's folder, until the writer has ended."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.audit.chain import Link
from app.audit.journal.backlog import Backlog, oldest_moment, unshipped
from app.audit.journal.layout import (
    LOCK_FILE,
    Progress,
    bad_files,
    bad_path,
    file_numbers,
    file_path,
    lock,
    parse_line,
    read_progress,
    write_progress,
)
from app.errors import RecordInvalid

BATCH_ROWS = 2_000
BATCH_BYTES = 4 << 20

EMPTY_SECONDS = 3600
"""How long a folder without a file may be one whose writer has only just begun."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is not what was written."""

    number: int
    """From 1."""
    what: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Complete lines of one file, and the progress once they are shipped."""

    path: Path
    links: list[Link]
    bad: list[BadLine]
    end: Progress


@dataclass(slots=True)
class WriterFolder:
    """The folder of one writer, from which complete lines are shipped in order. Not shared between threads.

    Every method may raise OSError.
    """

    path: Path
    progress: Progress = field(init=False)
    _backlog: Backlog = field(init=False)

    def __post_init__(self) -> None:
        self.progress = read_progress(self.path)
        self._backlog = Backlog(self.path)

    def next_batch(self) -> Batch | None:
        """The next complete lines that are not shipped; None when there are none."""
        # Listed before they are read: a file with a successor has had its last line.
        for number, start in unshipped(self.path, self.progress):
            if batch := self._read(number, start):
                return batch
        return None

    def _read(self, number: int, offset: int) -> Batch | None:
        links: list[Link] = []
        bad: list[BadLine] = []
        end = offset
        path = file_path(self.path, number)
        with path.open("rb") as file:
            file.seek(offset)
            while len(links) + len(bad) < BATCH_ROWS and end - offset < BATCH_BYTES:
                line = file.readline()
                # Without its end it is being written, or its writer died before it answered.
                if not line.endswith(b"\n"):
                    break
                try:
                    links.append(parse_line(line))
                except RecordInvalid as error:
                    bad.append(BadLine(_line_number(path, end), str(error), line))
                end += len(line)
        return Batch(path, links, bad, Progress(number, end)) if end > offset else None

    def quarantine(self, batch: Batch) -> None:
        """Keep the bad lines beside the file."""
        with bad_path(batch.path).open("ab") as file:
            file.writelines(it.line for it in batch.bad)

    def advance(self, batch: Batch) -> int:
        """The database has the batch: remove the files before it, and write the progress.

        Gives the bytes of unfinished lines that were removed with their files.
        """
        before, self.progress = self.progress, batch.end
        self._backlog.shipped(len(batch.links) + len(batch.bad), batch.end)
        torn = 0
        # First, because it makes room where a full disk has none for the progress.
        for number in file_numbers(self.path):
            if number < batch.end.file:
                path = file_path(self.path, number)
                torn += path.stat().st_size - (before.offset if number == before.file else 0)
                path.unlink()
        write_progress(self.path, batch.end)
        return torn

    def refresh(self) -> None:
        """Go on from the progress of another process that has shipped more."""
        found = read_progress(self.path)
        if found > self.progress:
            self.progress = found
            self._backlog.forget()

    def pending(self) -> int:
        """Complete lines that are not shipped."""
        return self._backlog.lines(self.progress)

    def oldest(self) -> int | None:
        """When the first line that is not shipped was written, microseconds since 1970; None when there is none."""
        return oldest_moment(self.path, self.progress)

    def torn_bytes(self) -> int:
        """Length of the last line when it has no end; only where every complete line has been shipped."""
        starts = unshipped(self.path, self.progress)
        return sum(file_path(self.path, number).stat().st_size - start for number, start in starts)

    @contextmanager
    def shipping(self) -> Iterator[bool]:
        """Whether this process is now the only one that ships the folder."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            yield _locked(descriptor)
        finally:
            os.close(descriptor)

    def remove_if_dead(self) -> bool:
        """Remove the folder of a writer that has ended, except for bad lines; gives whether nothing is left of it.

        Only for a folder of which everything has been shipped.
        """
        # Files are made by a writer that holds the lock; before, it may be about to take it.
        if not file_numbers(self.path) and time.time() - self.path.stat().st_mtime < EMPTY_SECONDS:
            return False
        try:
            descriptor = os.open(self.path / LOCK_FILE, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            # Asked again under the lock: it may have written and ended since.
            if not _locked(descriptor) or self.next_batch() is not None:
                return False
            if not bad_files(self.path):
                shutil.rmtree(self.path)
                return True
            for number in file_numbers(self.path):
                file_path(self.path, number).unlink()
            return False
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        lock(descriptor)
    except BlockingIOError:
        return False
    return True


def _line_number(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        return 1 + file.read(offset).count(b"\n")
