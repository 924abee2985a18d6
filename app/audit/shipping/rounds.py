"""Ships the journal in rounds, and reports after each how much is left."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time
from typing import Protocol

from app.audit.chain import Link
from app.audit.journal.layout import bad_path, writer_folders
from app.audit.journal.reader import WriterFolder
from app.errors import RecordError

SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 10.0
"""Between two attempts to reach a database that is away."""

log = logging.getLogger(__name__)


class Target(Protocol):
    """Where the links are shipped to. Both methods may raise RecordError."""

    def prepare(self) -> None:
        """Called before the first links, and again after a failure."""

    def insert(self, links: list[Link]) -> None:
        """Keep all of them or none, for good once it returns; links that are there already stay as they are."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round left in the journal."""

    pending: int
    """Records that are not in the database."""
    lag_seconds: float
    """Age of the oldest of them."""
    shipped: int
    """Records since the shipper began."""
    error: str | None


@dataclass(slots=True)
class Shipper:
    """Ships one journal to its target, in rounds of a few seconds; not shared between threads.

    clock: seconds, of which only differences count.
    """

    journal: Path
    target: Target
    clock: Callable[[], float] = monotonic
    shipped: int = 0
    """Links since it began."""
    behind: bool = False
    """Whether the last round ended because its time was over."""
    _folders: dict[Path, WriterFolder] = field(default_factory=dict)
    _prepared: bool = False
    _away: str | None = None
    """Why the target did not take the last links."""
    _wait_seconds: float = 0.0
    _retry_at: float = 0.0

    def round(self, seconds: float) -> Round:
        """Ship for about that long at most. Raises OSError when the journal itself cannot be listed."""
        deadline = self.clock() + seconds
        self._look()
        errors: list[str] = []
        try:
            if self.clock() >= self._retry_at:
                self.behind = self._ship_until(deadline, errors)
                self._away = None
        except RecordError as error:
            self._away = str(error)
            # Its tables may be what is gone.
            self._prepared = False
            self.behind = False
            self._wait_seconds = min(max(2 * self._wait_seconds, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)
            self._retry_at = self.clock() + self._wait_seconds
        return self._report(errors)

    def hurry(self) -> None:
        """Try a target that was away again in the next round."""
        self._retry_at = 0.0

    def _ship_until(self, deadline: float, errors: list[str]) -> bool:
        """Gives whether there may be more."""
        if not self._prepared:
            self.target.prepare()
            self._prepared = True
        busy = list(self._folders.values())
        # One batch a folder in turn, so that no writer waits for the whole of another.
        while busy and self.clock() < deadline:
            busy = [folder for folder in busy if self._ship(folder, errors)]
        return bool(busy)

    def _look(self) -> None:
        found = writer_folders(self.journal)
        self._folders = {path: self._folders.get(path) or WriterFolder(path) for path in found}

    def _ship(self, folder: WriterFolder, errors: list[str]) -> bool:
        """One batch; gives whether there may be more."""
        try:
            with folder.shipping() as ours:
                folder.refresh()
                return ours and self._ship_alone(folder, errors)
        except FileNotFoundError:
            # Another shipper has just removed it.
            return False
        except OSError as error:
            errors.append(f"the journal's folder {folder.path} cannot be worked on: {error.strerror}")
            return False

    def _ship_alone(self, folder: WriterFolder, errors: list[str]) -> bool:
        batch = folder.next_batch()
        if batch is None:
            self._remove_if_dead(folder)
            return False
        self.target.insert(batch.links)
        self._wait_seconds = 0.0
        if batch.bad:
            folder.quarantine(batch)
            first = batch.bad[0]
            errors.append(
                f"{batch.path} line {first.number}: {first.what}; {len(batch.bad)} such lines were left out"
                f" and lie in {bad_path(batch.path)}"
            )
        self.shipped += len(batch.links)
        if torn := folder.advance(batch):
            log.warning("%s: left out %d bytes of lines that were never finished", folder.path, torn)
        return True

    def _remove_if_dead(self, folder: WriterFolder) -> None:
        torn = folder.torn_bytes()
        if folder.remove_if_dead():
            del self._folders[folder.path]
            log.info("%s: its writer has ended and everything is shipped", folder.path)
            if torn:
                log.warning("%s: left out %d bytes of a line that was never finished", folder.path, torn)

    def _report(self, errors: list[str]) -> Round:
        pending, oldest = 0, None
        for folder in self._folders.values():
            try:
                pending += folder.pending()
                if (at := folder.oldest()) is not None:
                    oldest = at if oldest is None else min(at, oldest)
            except FileNotFoundError:
                continue  # another shipper has just removed it
            except OSError as error:
                errors.append(f"the journal's folder {folder.path} cannot be read: {error.strerror}")
        if self._away is not None:
            errors.insert(0, self._away)
        lag = 0.0 if oldest is None else max(0.0, time() - oldest / 1_000_000)
        return Round(pending, round(lag, 3), self.shipped, "; ".join(errors) or None)
