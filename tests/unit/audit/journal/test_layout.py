"""What lies where in a journal, and what is made of what somebody else put there."""

import os
from pathlib import Path

import pytest

from app.audit.chain import Chain, Entry
from app.audit.journal import layout
from app.audit.journal.layout import START, Progress, parse_line, read_progress, to_line, write_progress
from app.errors import RecordInvalid

AT = 1_700_000_000_123_456


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A writer's, with two files of 100 bytes."""
    folder = tmp_path / "journal" / "writer"
    folder.mkdir(parents=True)
    for number in (1, 2):
        (folder / f"0000000{number}.jsonl").write_bytes(b"x" * 100)
    return folder


def sealed_line() -> bytes:
    (sealed,) = Chain("w").seal([Entry("decision", "a", AT, {"probability": 0.1})])
    return to_line(*sealed).encode()


def test_a_line_is_the_hash_a_space_and_the_content() -> None:
    line = sealed_line()
    link = parse_line(line)
    assert line.decode() == f"{link.hash} {link.content}\n"
    assert (len(link.hash), link.content[:13], line.count(b"\n")) == (64, '{"writer":"w"', 1)


def test_any_flipped_bit_of_a_line_is_seen() -> None:
    line = sealed_line()
    for at in range(len(line) - 1):
        changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
        with pytest.raises(RecordInvalid):
            parse_line(changed)


def test_a_line_that_is_no_text_is_refused() -> None:
    with pytest.raises(RecordInvalid, match="it is no text"):
        parse_line(b"\xff\xfe\n")


def test_files_are_found_in_the_order_of_their_numbers(folder: Path) -> None:
    for name in ("00000010.jsonl", "00000003.jsonl", "00000001.jsonl.bad", "notes.jsonl", "lock", "shipped"):
        (folder / name).touch()
    assert layout.file_numbers(folder) == [1, 2, 3, 10]
    assert layout.file_path(folder, 10).name == "00000010.jsonl"
    assert [path.name for path in layout.bad_files(folder)] == ["00000001.jsonl.bad"]
    assert layout.bad_path(folder / "00000001.jsonl") == folder / "00000001.jsonl.bad"


def test_folders_are_those_of_writers_that_have_their_lock_oldest_first(tmp_path: Path) -> None:
    for name in ("02", "01", ".03"):
        (tmp_path / name).mkdir()
    (tmp_path / "00").write_text("no folder")
    assert [path.name for path in layout.writer_folders(tmp_path)] == ["01", "02"]
    assert layout.writer_folders(tmp_path / "none") == []


def test_a_folder_that_nobody_may_look_into_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lost+found", "writer"):
        (tmp_path / name).mkdir()
    # Where tests run as root, the kernel's own answer would always be yes.
    monkeypatch.setattr(os, "access", lambda path, _: path.name != "lost+found")
    assert [path.name for path in layout.writer_folders(tmp_path)] == ["writer"]


def test_a_progress_reads_back(folder: Path) -> None:
    assert read_progress(folder) == START
    write_progress(folder, Progress(2, 50))
    assert (folder / "shipped").read_text() == '{"file": 2, "offset": 50}'
    assert read_progress(folder) == Progress(2, 50)
    assert not (folder / "shipped.new").exists()


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "no JSON", '{"file": 1, "offset": 101}', '{"file": 7, "offset": 0}', '{"file": null}']
)
def test_a_progress_that_cannot_be_true_is_the_start_for_writer_and_shipper(folder: Path, content: str) -> None:
    (folder / "shipped").write_text(content)
    assert read_progress(folder) == START
    assert layout.unshipped_bytes(folder.parent) == 200


def test_what_is_not_shipped_is_the_rest_of_a_file_and_all_after_it(folder: Path) -> None:
    assert layout.unshipped_bytes(folder.parent) == 200
    write_progress(folder, Progress(1, 30))
    assert layout.unshipped_bytes(folder.parent) == 170
    write_progress(folder, Progress(2, 30))
    assert layout.unshipped_bytes(folder.parent) == 70
    other = folder.with_name("other")
    other.mkdir()
    (other / "00000001.jsonl").write_bytes(b"y" * 7)
    assert layout.unshipped_bytes(folder.parent) == 77
    assert layout.unshipped_bytes(folder / "none") == 0


def test_a_lock_is_held_by_one_until_it_is_closed(folder: Path) -> None:
    first, second = (os.open(folder / layout.LOCK_FILE, os.O_CREAT | os.O_RDWR) for _ in range(2))
    try:
        layout.lock(first)
        with pytest.raises(BlockingIOError):
            layout.lock(second)
        os.close(first)
        layout.lock(second)
    finally:
        os.close(second)
