"""What is appended to the journal is there, whole and in one chain, or was refused."""

import fcntl
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings, strategies as st

from app.audit.chain import Entry
from app.audit.journal.layout import unshipped_bytes
from app.audit.journal.writer import Journal
from app.errors import JournalFailed
from tests.support.journals import chains, keys

AT = 1_700_000_000_123_456
PLENTY = 10**9


def entry(key: str, size: int = 10) -> Entry:
    return Entry("decision", key, AT, {"padding": "x" * size})


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The kernel ends every write of this process there, as a full disk does: first a short one, then an error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.jsonl"))


def free(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_what_was_appended_is_one_chain_in_the_folder_of_its_writer(tmp_path: Path) -> None:
    journal = Journal(tmp_path, PLENTY)
    journal.append([entry("a")])
    journal.append([entry("b"), entry("c")])
    assert [(name, [link.key for link in links]) for name, links in chains(tmp_path).items()] == [
        (journal.writer, ["a", "b", "c"])
    ]


def test_nothing_is_made_before_something_is_kept(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", PLENTY).close()
    assert list(tmp_path.iterdir()) == []


def test_only_its_own_user_can_read_it(tmp_path: Path) -> None:
    Journal(tmp_path, PLENTY).append([entry("a")])
    assert {path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")} == {0}


def test_a_chain_goes_on_from_file_to_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path, PLENTY, file_bytes=1000)
    for number in range(20):
        journal.append([entry(str(number))])
    journal.append([entry("large", 5000)])
    journal.append([entry("last")])
    (writer,) = tmp_path.iterdir()
    sizes = [path.stat().st_size for path in writer.glob("*.jsonl")]
    assert len(sizes) > 4
    assert [size for size in sizes if size > 1000] == [max(sizes)]
    assert keys(tmp_path, "decision") == [*map(str, range(20)), "large", "last"]


def test_the_folder_is_locked_until_the_journal_is_closed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, PLENTY)
    journal.append([entry("a")])
    (writer,) = tmp_path.iterdir()
    assert not free(writer / "lock")
    journal.close()
    assert free(writer / "lock")
    with pytest.raises(JournalFailed, match="stopping"):
        journal.append([entry("b")])


def test_a_full_disk_keeps_nothing_of_what_does_not_fit_and_says_what_to_do(tmp_path: Path) -> None:
    journal = Journal(tmp_path, PLENTY)
    journal.append([entry("a")])
    before = size_of(tmp_path)
    with (
        files_of_at_most(before * 5 // 2),
        pytest.raises(JournalFailed, match="File too large; free some space there"),
    ):
        journal.append([entry("b"), entry("c"), entry("d")])
    assert size_of(tmp_path) == before
    journal.append([entry("e")])
    assert keys(tmp_path, "decision") == ["a", "e"]


def test_half_a_line_that_cannot_be_taken_back_is_left_to_a_dead_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, length: int) -> None:
        raise OSError(5, "Input/output error")

    journal = Journal(tmp_path, PLENTY)
    journal.append([entry("a")])
    first = journal.writer
    monkeypatch.setattr(os, "ftruncate", refuse)
    with files_of_at_most(size_of(tmp_path) + 50), pytest.raises(JournalFailed, match="Input/output error"):
        journal.append([entry("b")])
    assert first is not None
    assert free(tmp_path / first / "lock")
    journal.append([entry("c")])
    assert {name: [link.key for link in links] for name, links in chains(tmp_path).items()} == {
        first: ["a"],
        journal.writer: ["c"],
    }


def test_a_folder_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    journal = Journal(tmp_path / "journal", PLENTY)
    with pytest.raises(JournalFailed, match=r"correct audit\.journal_dir"):
        journal.append([entry("a")])
    (tmp_path / "journal").unlink()
    journal.append([entry("b")])
    assert keys(tmp_path / "journal", "decision") == ["b"]


def test_a_folder_that_somebody_removed_is_begun_anew(tmp_path: Path) -> None:
    now = [0.0]
    journal = Journal(tmp_path, PLENTY, clock=lambda: now[0])
    journal.append([entry("a")])
    (writer,) = tmp_path.iterdir()
    for path in writer.iterdir():
        path.unlink()
    writer.rmdir()
    now[0] = 1.0
    journal.append([entry("b")])
    assert keys(tmp_path, "decision") == ["b"]


def test_the_limit_is_on_what_all_writers_hold_that_the_database_does_not_have(tmp_path: Path) -> None:
    now = [0.0]
    one, other = (Journal(tmp_path, 100_000, clock=lambda: now[0]) for _ in range(2))
    one.append([entry("a", 60_000)])
    other.append([entry("b", 30_000)])
    now[0] = 1.0
    for journal in (one, other):
        with pytest.raises(JournalFailed, match=r"limit; bring the database back, or raise audit\.journal_megabytes"):
            journal.append([entry("c", 20_000)])
    one.append([entry("small")])
    assert one.writer is not None
    (tmp_path / one.writer / "shipped").write_text(json.dumps({"file": 1, "offset": 60_000}))
    now[0] = 2.0
    other.append([entry("c", 20_000)])
    assert keys(tmp_path, "decision") == ["a", "small", "b", "c"]


def test_between_two_looks_at_the_folder_its_own_lines_count(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1000, clock=lambda: 0.0)
    journal.append([entry("a", 500)])
    with pytest.raises(JournalFailed, match="limit"):
        journal.append([entry("b", 500)])
    assert keys(tmp_path, "decision") == ["a"]


def test_what_is_shipped_counts_by_file_and_offset_and_anything_unreadable_not_at_all(tmp_path: Path) -> None:
    journal = Journal(tmp_path, PLENTY, file_bytes=1000)
    for number in range(10):
        journal.append([entry(str(number))])
    (writer,) = tmp_path.iterdir()
    sizes = [path.stat().st_size for path in sorted(writer.glob("*.jsonl"))]
    (writer / "shipped").write_text(json.dumps({"file": 2, "offset": 100}))
    assert unshipped_bytes(tmp_path) == sum(sizes[1:]) - 100
    (writer / "shipped").write_text("")
    assert unshipped_bytes(tmp_path) == sum(sizes)


appends = st.lists(
    st.tuples(st.lists(st.integers(0, 400), min_size=1, max_size=4), st.none() | st.integers(0, 3000)), max_size=12
)


@settings(deadline=None)
@given(appends)
def test_whatever_fails_in_between_the_journal_holds_exactly_what_was_not_refused(
    found: list[tuple[list[int], int | None]],
) -> None:
    kept: list[str] = []
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder), PLENTY, file_bytes=2000)
        for number, (sizes, most) in enumerate(found):
            entries = [entry(f"{number}.{index}", size) for index, size in enumerate(sizes)]
            try:
                with files_of_at_most(resource.RLIM_INFINITY if most is None else most):
                    journal.append(entries)
            except JournalFailed:
                continue
            kept += [it.key for it in entries]
        assert keys(Path(folder), "decision") == kept
