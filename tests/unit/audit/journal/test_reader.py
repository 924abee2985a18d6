"""A writer's folder is read in order, from its progress on, and goes only once nothing can be lost with it."""

import os
from pathlib import Path

import pytest

from app.audit.journal import reader
from app.audit.journal.layout import START, Progress
from app.audit.journal.reader import Batch, WriterFolder
from tests.support.records import NOON, SECOND, Writer, decisions


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "journal")


def next_of(folder: WriterFolder) -> Batch:
    batch = folder.next_batch()
    assert batch is not None
    return batch


def test_lines_are_read_file_after_file_in_the_order_they_were_written(writer: Writer) -> None:
    written = writer.write(decisions(3))
    writer.rotate()
    written += writer.write(decisions(2))
    folder = WriterFolder(writer.folder)
    read = []
    while batch := folder.next_batch():
        read += batch.links
        folder.advance(batch)
    assert read == written


def test_a_batch_that_is_not_shipped_is_given_again(writer: Writer) -> None:
    writer.write(decisions(3))
    folder = WriterFolder(writer.folder)
    assert next_of(folder) == next_of(folder)
    assert folder.progress == START


def test_another_reader_goes_on_from_the_progress(writer: Writer) -> None:
    writer.write(decisions(3))
    first, second = WriterFolder(writer.folder), WriterFolder(writer.folder)
    assert (first.pending(), second.pending()) == (3, 3)
    first.advance(next_of(first))
    later = writer.write(decisions(2))
    second.refresh()
    assert (first.pending(), second.pending()) == (2, 2)
    assert next_of(second).links == later
    assert next_of(WriterFolder(writer.folder)).links == later


@pytest.mark.parametrize("bound", ["BATCH_ROWS", "BATCH_BYTES"])
def test_a_batch_is_bounded_in_rows_and_in_bytes(writer: Writer, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    written = writer.write(decisions(9))
    line = writer.file.stat().st_size // 9
    monkeypatch.setattr(reader, bound, 4 if bound == "BATCH_ROWS" else 3 * line + line // 2)
    folder = WriterFolder(writer.folder)
    sizes, read = [], []
    while batch := folder.next_batch():
        sizes.append(len(batch.links))
        read += batch.links
        folder.advance(batch)
    assert (sizes, read) == ([4, 4, 1], written)


def test_bad_lines_are_numbered_in_their_file_and_kept_as_they_are(writer: Writer) -> None:
    (first,) = writer.write(decisions(1))
    folder = WriterFolder(writer.folder)
    folder.advance(next_of(folder))
    writer.append(b"no line of a record\n")
    (last,) = writer.write(decisions(1))
    writer.append(b"\xff\n")
    batch = next_of(folder)
    assert batch.links == [last]
    assert last.previous == first.hash
    assert [(it.number, it.what, it.line) for it in batch.bad] == [
        (2, "its content does not have its hash", b"no line of a record\n"),
        (4, "it is no text", b"\xff\n"),
    ]
    folder.quarantine(batch)
    assert (writer.folder / "00000001.jsonl.bad").read_bytes() == b"no line of a record\n\xff\n"


def test_what_waits_is_counted_while_it_is_written_and_shipped(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "BATCH_ROWS", 3)
    folder = WriterFolder(writer.folder)
    counts = []
    writer.write(decisions(5))
    counts.append(folder.pending())
    folder.advance(next_of(folder))
    counts.append(folder.pending())
    writer.rotate()
    writer.write(decisions(4))
    writer.append(b"half a line")
    counts.append(folder.pending())
    while batch := folder.next_batch():
        folder.advance(batch)
        counts.append(folder.pending())
    assert counts == [5, 2, 6, 4, 1, 0]
    assert folder.torn_bytes() == len(b"half a line")


def test_the_oldest_line_that_waits_is_the_first_that_can_be_read(writer: Writer) -> None:
    folder = WriterFolder(writer.folder)
    assert folder.oldest() is None
    writer.append(b"no line of a record\n")
    writer.write(decisions(2))
    assert folder.oldest() == NOON
    folder.advance(next_of(folder))
    assert folder.oldest() is None
    writer.rotate()
    writer.write(decisions(1, at=NOON + 9 * SECOND))
    assert folder.oldest() == NOON + 9 * SECOND


def test_files_before_the_progress_are_removed_and_their_torn_ends_are_counted(writer: Writer) -> None:
    writer.write(decisions(2))
    folder = WriterFolder(writer.folder)
    assert folder.advance(next_of(folder)) == 0
    writer.append(b"half")
    writer.rotate()
    writer.write(decisions(1))
    assert folder.advance(next_of(folder)) == 4
    assert [path.name for path in sorted(writer.folder.glob("*.jsonl"))] == ["00000002.jsonl"]
    assert folder.progress == Progress(2, writer.file.stat().st_size)


def test_only_one_process_ships_a_folder_at_a_time(writer: Writer) -> None:
    with WriterFolder(writer.folder).shipping() as first:
        with WriterFolder(writer.folder).shipping() as second:
            assert (first, second) == (True, False)
    with WriterFolder(writer.folder).shipping() as third:
        assert third


def test_a_folder_goes_only_when_its_writer_is_dead_and_everything_is_shipped(writer: Writer) -> None:
    writer.write(decisions(2))
    folder = WriterFolder(writer.folder)
    folder.advance(next_of(folder))
    assert not folder.remove_if_dead()
    writer.write(decisions(1))
    writer.die()
    assert not folder.remove_if_dead()
    folder.advance(next_of(folder))
    assert folder.remove_if_dead()
    assert not writer.folder.exists()


def test_an_empty_folder_of_a_dead_writer_goes_once_it_is_old(writer: Writer) -> None:
    writer.die()
    folder = WriterFolder(writer.folder)
    assert not folder.remove_if_dead()
    long_ago = writer.folder.stat().st_mtime - reader.EMPTY_SECONDS - 1
    os.utime(writer.folder, (long_ago, long_ago))
    assert folder.remove_if_dead()


def test_bad_lines_outlive_the_folder_they_were_found_in(writer: Writer) -> None:
    writer.append(b"no line of a record\n")
    writer.die()
    folder = WriterFolder(writer.folder)
    batch = next_of(folder)
    folder.quarantine(batch)
    folder.advance(batch)
    assert not folder.remove_if_dead()
    assert sorted(path.name for path in writer.folder.iterdir()) == ["00000001.jsonl.bad", "lock", "shipped"]
