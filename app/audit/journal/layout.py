"""The layout of the journal on disk: what its folders and files are called, and what is in each of them.

<journal_dir>/<writer>/lock                 locked (flock) for as long as the writer lives
<journal_dir>/<writer>/00000001.jsonl       lines `<hash> <content>`; the next number when the file has grown
<journal_dir>/<writer>/shipped              {"file": number, "offset": bytes}: up to where the database has the lines
<journal_dir>/<writer>/00000001.jsonl.bad   lines that are not what was written, kept for an inspection
<journal_dir>/.<writer>/                    the folder of a writer that does not hold its lock yet

A writer's files are one chain, from the first line of file 1 to the last line of the last file.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from app.audit.chain import Link, link_of
from app.errors import RecordInvalid

LOCK_FILE = "lock"
FIRST_FILE = 1
HIDDEN = "."
"""What the name of a folder begins with until its writer holds the lock."""

_SHIPPED_FILE = "shipped"
_BAD = ".bad"


@dataclass(frozen=True, slots=True, order=True)
class Progress:
    """How far a writer's files have been shipped: `offset` bytes of `file`, and every file before it."""

    file: int
    offset: int


START = Progress(0, 0)
"""Nothing has been shipped."""


def to_line(digest: str, content: str) -> str:
    """A link as it stands in a file. digest: SHA-256 of the content, in hex."""
    return f"{digest} {content}\n"


def parse_line(line: bytes) -> Link:
    """The inverse of to_line. Raises RecordInvalid when the line is not what was written."""
    try:
        digest, _, content = line.decode().rstrip("\n").partition(" ")
    except UnicodeDecodeError as error:
        raise RecordInvalid("it is no text") from error
    return link_of(digest, content)


def writer_folders(journal: Path) -> list[Path]:
    """The folder of every writer that holds or held its lock, oldest first."""
    if not journal.is_dir():
        return []
    # The root of a volume may hold a folder of its file system's, which nobody else may look into.
    readable = (path for path in journal.iterdir() if path.is_dir() and os.access(path, os.R_OK | os.X_OK))
    return sorted(path for path in readable if not path.name.startswith(HIDDEN))


def file_path(folder: Path, number: int) -> Path:
    """The file of that number in a writer's folder. number: from FIRST_FILE."""
    return folder / f"{number:08d}.jsonl"


def file_numbers(folder: Path) -> list[int]:
    """The numbers of a writer's files, oldest first."""
    return sorted(int(path.stem) for path in folder.glob("*.jsonl") if path.stem.isdigit())


def bad_path(file: Path) -> Path:
    """Where the bad lines of a file are kept."""
    return file.with_name(file.name + _BAD)


def bad_files(folder: Path) -> list[Path]:
    """The files of a writer's folder that hold bad lines."""
    return sorted(folder.glob(f"*{_BAD}"))


def lock(descriptor: int) -> None:
    """Lock an open file or folder until it is closed. Raises BlockingIOError while somebody else holds it."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def read_progress(folder: Path) -> Progress:
    """How far a writer's folder has been shipped; START when that is unknown, or names what is not there."""
    try:
        document = json.loads((folder / _SHIPPED_FILE).read_bytes())
        found = Progress(int(document["file"]), int(document["offset"]))
        size = file_path(folder, found.file).stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        # What is shipped again changes nothing in the database.
        return START
    return found if found.offset <= size else START


def write_progress(folder: Path, progress: Progress) -> None:
    """Replace the one before it, whole or not at all. Raises OSError."""
    written = folder / f"{_SHIPPED_FILE}.new"
    written.write_text(json.dumps(asdict(progress)))
    written.replace(folder / _SHIPPED_FILE)


def unshipped_bytes(journal: Path) -> int:
    """What all writers hold that the database does not have yet; files that go meanwhile do not count."""
    try:
        folders = writer_folders(journal)
    except PermissionError:
        # Whoever appends or ships there is told so.
        return 0
    return sum(_unshipped_of(folder) for folder in folders)


def _unshipped_of(folder: Path) -> int:
    progress = read_progress(folder)
    found = 0
    for number in file_numbers(folder):
        if number < progress.file:
            continue
        try:
            size = file_path(folder, number).stat().st_size
        except FileNotFoundError:
            continue
        found += size - progress.offset if number == progress.file else size
    return found
