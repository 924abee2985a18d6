"""The journal as the shipper sees it: the folders of the writers, their files, and how far each has been shipped.

<journal_dir>/<writer>/lock             held (flock) for as long as the writer lives
<journal_dir>/<writer>/00000001.jsonl   lines of app.audit.chain; the next number when it has grown
<journal_dir>/<writer>/shipped          {"file": number, "offset": bytes}: what the database has for sure
<journal_dir>/<writer>/00000001.jsonl.bad   lines that were not what was written, kept for whoever looks into it
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.audit.chain import Link, from_line
from app.errors import RecordInvalid

BATCH_ROWS = 2_000
BATCH_BYTES = 4 << 20
BLOCK = 1 << 20

EMPTY_SECONDS = 3600
"""How long a folder without a file may be one whose writer has only just begun."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a writer's files."""

    file: int
    offset: int


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is not what was written."""

    number: int
    """From 1."""
    what: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Complete lines of one file, and where the next ones begin."""

    path: Path
    links: list[Link]
    bad: list[BadLine]
    end: Position

    @property
    def lines(self) -> int:
        return len(self.links) + len(self.bad)


@dataclass(slots=True)
class _Count:
    """Complete lines of a file from `start` on, counted as far as `counted`."""

    counted: int
    lines: int = 0


@dataclass(slots=True)
class Folder:
    """One writer's. Not shared between threads."""

    path: Path
    position: Position = field(init=False)
    _counts: dict[int, _Count] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.position = self._read_position()

    def files(self) -> list[int]:
        """Their numbers, oldest first."""
        return sorted(int(path.stem) for path in self.path.glob("*.jsonl") if path.stem.isdigit())

    def file(self, number: int) -> Path:
        return self.path / f"{number:08d}.jsonl"

    def next_batch(self) -> Batch | None:
        """The next complete lines that are not shipped; None when there are none."""
        # Listed before they are read: a file with a successor has had its last line.
        for number in self.files():
            if number < self.position.file:
                continue
            start = self.position.offset if number == self.position.file else 0
            if batch := self._read(number, start):
                return batch
        return None

    def _read(self, number: int, offset: int) -> Batch | None:
        links: list[Link] = []
        bad: list[BadLine] = []
        end = offset
        path = self.file(number)
        with path.open("rb") as file:
            file.seek(offset)
            while len(links) + len(bad) < BATCH_ROWS and end - offset < BATCH_BYTES:
                line = file.readline()
                # Without its end it is being written, or its writer died before it answered.
                if not line.endswith(b"\n"):
                    break
                try:
                    links.append(from_line(line.decode()))
                except (RecordInvalid, UnicodeDecodeError) as error:
                    what = str(error) if isinstance(error, RecordInvalid) else "it is no text"
                    bad.append(BadLine(_line_number(path, end), what, line))
                end += len(line)
        return Batch(path, links, bad, Position(number, end)) if end > offset else None

    def quarantine(self, batch: Batch) -> None:
        """Keep the bad lines beside the file."""
        with batch.path.with_suffix(".jsonl.bad").open("ab") as file:
            file.writelines(it.line for it in batch.bad)

    def advance(self, batch: Batch) -> int:
        """The database has it: remove what is not needed any more, and write the position down.

        Gives the bytes of unfinished lines that were removed with their files.
        """
        before, self.position = self.position, batch.end
        if count := self._counts.get(batch.end.file):
            count.lines -= batch.lines
        torn = 0
        # First, because it makes room where a full disk has none for the position.
        for number in self.files():
            if number < batch.end.file:
                torn += self.file(number).stat().st_size - (before.offset if number == before.file else 0)
                self.file(number).unlink()
                self._counts.pop(number, None)
        written = self.path / "shipped.new"
        written.write_text(json.dumps({"file": batch.end.file, "offset": batch.end.offset}))
        written.replace(self.path / "shipped")
        return torn

    def refresh(self) -> None:
        """Another process may have shipped a part of it."""
        found = self._read_position()
        if found > self.position:
            self.position = found
            self._counts.clear()

    def pending(self) -> int:
        """Complete lines that are not shipped; each is looked at once, however often this is asked."""
        for number in self.files():
            if number < self.position.file:
                continue
            start = self.position.offset if number == self.position.file else 0
            count = self._counts.setdefault(number, _Count(start))
            with self.file(number).open("rb") as file:
                file.seek(count.counted)
                while block := file.read(BLOCK):
                    count.lines += block.count(b"\n")
                    count.counted += len(block)
        return sum(count.lines for number, count in self._counts.items() if number >= self.position.file)

    def oldest(self) -> int | None:
        """When the first line that is not shipped was written, microseconds since 1970; None when there is none."""
        for number in self.files():
            if number < self.position.file:
                continue
            with self.file(number).open("rb") as file:
                file.seek(self.position.offset if number == self.position.file else 0)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    with suppress(RecordInvalid, UnicodeDecodeError):
                        return from_line(line.decode()).at
        return None

    def bad_files(self) -> list[Path]:
        """Where lines lie that could not be shipped."""
        return sorted(self.path.glob("*.bad"))

    def torn_bytes(self) -> int:
        """Length of the last line when it has no end."""
        size = sum(self.file(number).stat().st_size for number in self.files() if number >= self.position.file)
        return size - self.position.offset

    @contextmanager
    def shipping(self) -> Iterator[bool]:
        """Whether this process is now the only one that ships the folder."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            yield _locked(descriptor)
        finally:
            os.close(descriptor)

    def remove_if_dead(self) -> bool:
        """Remove the folder of a writer that has ended; only for a folder of which everything has been shipped."""
        # Files are made by a writer that holds the lock; before, it may be about to take it.
        if not self.files() and time.time() - self.path.stat().st_mtime < EMPTY_SECONDS:
            return False
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            # Asked again under the lock: it may have written and ended since.
            if not _locked(descriptor) or self.next_batch() is not None:
                return False
            if not self.bad_files():
                shutil.rmtree(self.path)
                return True
            for number in self.files():
                self.file(number).unlink()
            return False
        finally:
            os.close(descriptor)

    def _read_position(self) -> Position:
        try:
            document = json.loads((self.path / "shipped").read_text())
            position = Position(int(document["file"]), int(document["offset"]))
            size = self.file(position.file).stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            # What is shipped again changes nothing.
            return Position(0, 0)
        return position if position.offset <= size else Position(0, 0)


def folders(journal: Path) -> list[Path]:
    """Of every writer, oldest first; a name with a dot is that of one which is not locked yet."""
    if not journal.is_dir():
        return []
    # The root of a volume may hold a folder of its file system's, which nobody else may look into.
    readable = (path for path in journal.iterdir() if path.is_dir() and os.access(path, os.R_OK | os.X_OK))
    return sorted(path for path in readable if not path.name.startswith("."))


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _line_number(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        return 1 + file.read(offset).count(b"\n")
