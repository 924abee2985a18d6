"""The journal as the server writes it: lines of the record on local disk until the database has them."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.audit.chain import Chain, Entry
from app.audit.journal.layout import FIRST_FILE, HIDDEN, LOCK_FILE, file_path, lock, to_line, unshipped_bytes
from app.errors import JournalFailed
from app.ids import Ids

FILE_BYTES = 16 * 1024 * 1024
MEASURE_SECONDS = 1.0
"""How often the folder is looked through; what this writer adds meanwhile is counted."""


class Journal:
    """Appends to a folder of its own, which the first append makes; not shared between threads.

    folder: the journal's, which other writers share. limit_bytes: most that all writers together may hold there without
    the database having it. file_bytes: a file that has grown to it gets a successor. clock: seconds, of which only
    differences count. to_disk: whether `sync` will be called, so that the names of files are brought to the disk.
    """

    def __init__(
        self,
        folder: Path,
        limit_bytes: int,
        new_writer: Callable[[], str] | None = None,
        file_bytes: int = FILE_BYTES,
        clock: Callable[[], float] = time.monotonic,
        to_disk: bool = False,
    ) -> None:
        self._to_disk = to_disk
        self._unsynced: list[int] = []
        """Files that nothing is appended to any more, and whose end may not be on the disk."""
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
        """The id of the present chain; None before the first append. It changes when a folder can no longer be used."""
        return None if self._open is None else self._open.chain.writer

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep all of the entries or none of them; raises JournalFailed.

        What was kept survives the death of this process, kill -9 included: it is in the kernel's hands. A power cut of
        the node may take what `sync` has not brought to the disk.
        """
        if self._closed:
            raise JournalFailed("the journal is closed, because the server is stopping; ask again")
        try:
            self._append(entries)
        except OSError as error:
            remedy = "free some space there, or correct audit.journal_dir"
            raise JournalFailed(f"journal {self._folder}: {error.strerror or error}; {remedy}") from error

    def sync(self) -> Callable[[], None]:
        """What brings all that was appended until now to the disk, for a thread to call while others append.

        It raises JournalFailed, after which the next append begins a new chain.
        """
        opened, descriptors = self._open, [*self._unsynced]
        self._unsynced.clear()
        if opened is not None:
            # Of its own: the file may be closed meanwhile.
            descriptors.append(os.dup(opened.file))

        def sync() -> None:
            try:
                for descriptor in descriptors:
                    os.fdatasync(descriptor)
            except OSError as error:
                # A kernel says only once that it could not write, and may have dropped it: a later sync proves nothing.
                if opened is not None:
                    opened.torn = True
                raise JournalFailed(f"journal {self._folder}: {error.strerror}; see to its disk") from error
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)

        return sync

    def close(self) -> None:
        """End the chain for good, so that the shipper may remove its folder once it is shipped."""
        self._closed = True
        self._leave()
        while self._unsynced:
            os.close(self._unsynced.pop())

    def _append(self, entries: Sequence[Entry]) -> None:
        self._measure()
        if self._open is not None and self._open.torn:
            self._leave()
        if self._open is None:
            self._open = _Writer(self._folder, Chain(self._new_writer()), self._file_bytes, self._to_disk, self._ended)
        links = self._open.chain.seal(entries)
        data = "".join([to_line(digest, content) for digest, content in links]).encode()
        if self._unshipped + len(data) > self._limit_bytes:
            remedy = "bring the database back, or raise audit.journal_megabytes"
            raise JournalFailed(f"journal {self._folder} has reached its limit; {remedy}")
        try:
            self._open.write(data)
        except OSError:
            if self._open.lost:
                self._leave()
            raise
        self._open.chain.advance(links)
        self._unshipped += len(data)

    def _measure(self) -> None:
        now = self._clock()
        if now - self._measured_at >= MEASURE_SECONDS:
            self._unshipped = unshipped_bytes(self._folder)
            self._measured_at = now
            if self._open is not None and self._open.lost:
                self._leave()

    def _leave(self) -> None:
        """Let the next append begin a new chain in a new folder; what this one holds is the shipper's."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _ended(self, file: int) -> None:
        """Nothing follows in that file."""
        if self._to_disk:
            self._unsynced.append(file)
        else:
            os.close(file)


class _Writer:
    """The files of one chain, in a locked folder. Every method but close may raise OSError."""

    def __init__(
        self, folder: Path, chain: Chain, file_bytes: int, to_disk: bool, ended: Callable[[int], None]
    ) -> None:
        self.chain = chain
        self.torn = False
        """Whether what was written last may be there in part, or not at all."""
        self._to_disk = to_disk
        self._ended = ended
        self._folder = folder / chain.writer
        self._file_bytes = file_bytes
        self._number = FIRST_FILE
        self._size = 0
        # Out of the shipper's sight until it is locked.
        unlocked = folder / f"{HIDDEN}{chain.writer}"
        unlocked.mkdir(parents=True, mode=0o700)
        opened: list[int] = []
        try:
            opened.append(os.open(unlocked / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o600))
            lock(opened[0])
            opened.append(_create(unlocked, self._number))
            unlocked.rename(self._folder)
            if to_disk:
                _sync_folders(self._folder, folder)
        except OSError:
            for descriptor in opened:
                os.close(descriptor)
            shutil.rmtree(unlocked, ignore_errors=True)
            raise
        self._lock, self.file = opened

    @property
    def lost(self) -> bool:
        """Whether nothing may be appended any more; also because somebody removed the file."""
        return self.torn or os.fstat(self.file).st_nlink == 0

    def write(self, data: bytes) -> None:
        """Append all of the data or nothing."""
        if self._size and self._size + len(data) > self._file_bytes:
            following = _create(self._folder, self._number + 1)
            if self._to_disk:
                _sync_folders(self._folder)
            self._ended(self.file)
            self.file, self._number, self._size = following, self._number + 1, 0
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.file, rest) :]
        except OSError:
            # The shipper may have read whole lines of it: no others may follow under their numbers.
            self.torn = self.torn or len(rest) < len(data)
            os.ftruncate(self.file, self._size)
            raise
        self._size += len(data)

    def close(self) -> None:
        self._ended(self.file)
        os.close(self._lock)


def _create(folder: Path, number: int) -> int:
    return os.open(file_path(folder, number), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)


def _sync_folders(*folders: Path) -> None:
    """Bring the names of the files in them to the disk."""
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
