"""What a journal folder holds, read as the shipper would and checked line by line."""

from pathlib import Path

from app.audit.chain import GENESIS, Link
from app.audit.journal.layout import parse_line


def chains(folder: Path) -> dict[str, list[Link]]:
    """Every writer's links in their order, each checked against the one before.

    Half a line is allowed where a writer's last file ends, because a process may die while it writes.
    """
    writers = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return {writer.name: _chain(writer) for writer in writers}


def _chain(writer: Path) -> list[Link]:
    files = sorted(writer.glob("*.jsonl"))
    assert [path.name for path in files] == [f"{number:08d}.jsonl" for number in range(1, len(files) + 1)]
    links: list[Link] = []
    for path in files:
        *whole, torn = path.read_bytes().split(b"\n")
        assert torn == b"" or path == files[-1], f"half a line in the middle: {path}"
        links += [parse_line(line) for line in whole]
    previous = GENESIS
    for sequence, link in enumerate(links, start=1):
        assert (link.writer, link.sequence, link.previous) == (writer.name, sequence, previous)
        previous = link.hash
    return links


def keys(folder: Path, kind: str) -> list[str]:
    """Of every link of that kind, whoever wrote it."""
    return [link.key for links in chains(folder).values() for link in links if link.kind == kind]
