"""The journal: lines of the record on this machine's disk until the database has them.

<folder>/<writer>/lock             locked for as long as the writer lives
<folder>/<writer>/00000001.jsonl   lines of app.audit.chain; one chain from the first file to the last
<folder>/<writer>/shipped          {"file": n, "offset": bytes}: up to where the database has them
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.audit.chain import Chain, Entry
from app.errors import JournalFailed
from app.ids import Ids

FILE_BYTES = 16 * 1024 * 1024
MEASURE_SECONDS = 1.0
"""How often the folder is looked through; what this writer adds meanwhile is counted."""

LOCK_FILE = "lock"
SHIPPED_FILE = "shipped"


class Journal:
    """Appends to the folder of a writer of its own, which the first append makes; not shared between threads.

    limit_bytes: most that all writers together may hold in the folder without the database having it.
    clock: seconds, of which only differences count.
    """

    def __init__(
        self,
        folder: Path,
        limit_bytes: int,
        new_writer: Callable[[], str] | None = None,
        file_bytes: int = FILE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._new_writer = new_writer or Ids().next
        self._file_bytes = file_bytes
        self._clock = clock
        self._open: _Writer | None = None
        self._closed = False
        self._unshipped = 0
        self._measured_at = float("-inf")

    @property
    def writer(self) -> str | None:
        """Whoever wrote last; None before the first append. It changes when a folder can no longer be used."""
        return None if self._open is None else self._open.chain.writer

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep all of the entries or none of them; raises JournalFailed.

        What was kept survives the death of this process, kill -9 included: it is in the kernel's hands. Nothing waits
        for the disk itself, so a power cut of the node may take the last seconds.
        """
        if self._closed:
            raise JournalFailed("the journal is closed, because the server is stopping; ask again")
        try:
            self._append(entries)
        except OSError as error:
            remedy = "free some space there, or correct audit.journal_dir"
            raise JournalFailed(f"journal {self._folder}: {error.strerror or error}; {remedy}") from error

    def close(self) -> None:
        """For good: the shipper may take this writer for dead."""
        self._closed = True
        self._leave()

    def _append(self, entries: Sequence[Entry]) -> None:
        self._measure()
        if self._open is None:
            self._open = _Writer(self._folder, Chain(self._new_writer()), self._file_bytes)
        chain = self._open.chain
        lines, sequence, head = chain.lines(entries)
        data = lines.encode()
        if self._unshipped + len(data) > self._limit_bytes:
            remedy = "bring the database back, or raise audit.journal_megabytes"
            raise JournalFailed(f"journal {self._folder} has reached its limit; {remedy}")
        try:
            self._open.write(data)
        except OSError:
            if self._open.lost:
                self._leave()
            raise
        chain.advance(sequence, head)
        self._unshipped += len(data)

    def _measure(self) -> None:
        now = self._clock()
        if now - self._measured_at >= MEASURE_SECONDS:
            self._unshipped = unshipped_bytes(self._folder)
            self._measured_at = now
            if self._open is not None and self._open.lost:
                self._leave()

    def _leave(self) -> None:
        """The next append begins a new chain in a new folder; whatever this one holds is a dead writer's."""
        if self._open is not None:
            self._open.close()
            self._open = None


class _Writer:
    """The files of one chain, in a locked folder. Every method but close raises OSError."""

    def __init__(self, folder: Path, chain: Chain, file_bytes: int) -> None:
        self.chain = chain
        self._folder = folder / chain.writer
        self._file_bytes = file_bytes
        self._number = 1
        self._size = 0
        self._torn = False
        # Out of the shipper's sight until it is locked.
        unlocked = folder / f".{chain.writer}"
        unlocked.mkdir(parents=True, mode=0o700)
        opened: list[int] = []
        try:
            opened.append(os.open(unlocked / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o600))
            fcntl.flock(opened[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
            opened.append(_create(unlocked, self._number))
            unlocked.rename(self._folder)
        except OSError:
            for descriptor in opened:
                os.close(descriptor)
            shutil.rmtree(unlocked, ignore_errors=True)
            raise
        self._lock, self._file = opened

    @property
    def lost(self) -> bool:
        """Nothing may be appended any more: some of a failed append was written, or somebody removed the file."""
        return self._torn or os.fstat(self._file).st_nlink == 0

    def write(self, data: bytes) -> None:
        """All of it or nothing."""
        if self._size and self._size + len(data) > self._file_bytes:
            following = _create(self._folder, self._number + 1)
            os.close(self._file)
            self._file, self._number, self._size = following, self._number + 1, 0
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            # The shipper may have read whole lines of it: no others may follow under their numbers.
            self._torn = len(rest) < len(data)
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def close(self) -> None:
        os.close(self._file)
        os.close(self._lock)


def _create(folder: Path, number: int) -> int:
    return os.open(folder / file_name(number), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)


def file_name(number: int) -> str:
    return f"{number:08d}.jsonl"


def unshipped_bytes(folder: Path) -> int:
    """What all writers hold that the database does not have yet; files that go meanwhile do not count."""
    # The root of a volume may hold a folder of its file system's, which nobody else may look into.
    writers = (path for path in folder.glob("*/") if os.access(path, os.R_OK | os.X_OK))
    return sum(_unshipped_of(writer) for writer in writers if not writer.name.startswith("."))


def _unshipped_of(writer: Path) -> int:
    try:
        shipped = json.loads((writer / SHIPPED_FILE).read_bytes())
        first, offset = file_name(shipped["file"]), shipped["offset"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # Nothing shipped yet, or a file that a power cut left empty: then all of it will be shipped again.
        first, offset = file_name(1), 0
    found = 0
    for path in writer.glob("*.jsonl"):
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            continue
        found += 0 if path.name < first else max(0, size - offset) if path.name == first else size
    return found
