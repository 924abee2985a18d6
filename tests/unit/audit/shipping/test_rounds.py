"""The journal reaches its target once, whatever dies in between, and nothing is left out unsaid."""

from pathlib import Path

import pytest

from app.audit.chain import Link
from app.audit.journal.layout import to_line
from app.audit.journal.reader import WriterFolder
from app.audit.shipping.process import Database
from app.audit.shipping.rounds import Round, Shipper
from app.audit.store.repository import Store
from app.errors import RecordUnavailable
from tests.support.records import NOON, SIGNER, Writer, decisions, linked

AGES = 10.0
"""Seconds; more than any round here takes."""


class Kept:
    """A target that takes everything, or is away."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.away = False
        self.prepared = 0

    def prepare(self) -> None:
        self._answer()
        self.prepared += 1

    def insert(self, links: list[Link]) -> None:
        self._answer()
        self.links += links

    def _answer(self) -> None:
        if self.away:
            raise RecordUnavailable("the target is away")


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def shipper(tmp_path: Path, kept: Kept) -> Shipper:
    return Shipper(tmp_path / "journal", kept)


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "journal")


def test_an_empty_journal_is_shipped_at_once(shipper: Shipper, kept: Kept) -> None:
    assert shipper.round(AGES) == Round(0, 0.0, 0, None)
    assert kept.prepared == 1


def test_a_round_ships_what_every_writer_wrote(shipper: Shipper, kept: Kept, writer: Writer, tmp_path: Path) -> None:
    links = writer.write(decisions(5)) + Writer(tmp_path / "journal").write(decisions(3))
    assert shipper.round(AGES) == Round(0, 0.0, 8, None)
    assert sorted(it.key for it in kept.links) == sorted(it.key for it in links)
    writer.write(decisions(1))
    assert shipper.round(AGES).shipped == 9


def test_a_shipper_goes_on_where_the_one_before_it_stopped(shipper: Shipper, kept: Kept, writer: Writer) -> None:
    writer.write(decisions(4))
    shipper.round(AGES)
    (fifth,) = writer.write(decisions(1))
    successor = Kept()
    assert Shipper(shipper.journal, successor).round(AGES) == Round(0, 0.0, 1, None)
    assert successor.links == [fifth]


def test_an_unfinished_line_of_a_living_writer_waits_for_its_end(shipper: Shipper, kept: Kept, writer: Writer) -> None:
    (link,) = linked(decisions(1))
    line = to_line(link.hash, link.content).encode()
    writer.append(line[:100])
    assert shipper.round(AGES) == Round(0, 0.0, 0, None)
    writer.append(line[100:])
    assert shipper.round(AGES).shipped == 1
    assert kept.links == [link]


def test_a_shipped_file_with_a_successor_is_deleted(shipper: Shipper, writer: Writer) -> None:
    first = writer.file
    writer.write(decisions(2))
    writer.rotate()
    shipper.round(AGES)
    assert first.exists()
    writer.write(decisions(2))
    assert shipper.round(AGES).shipped == 4
    assert not first.exists()
    assert writer.file.exists()


def test_the_folder_of_a_living_writer_stays_and_that_of_a_dead_one_goes(shipper: Shipper, writer: Writer) -> None:
    writer.write(decisions(2))
    shipper.round(AGES)
    assert writer.folder.exists()
    writer.die()
    shipper.round(AGES)
    assert not writer.folder.exists()


def test_an_unfinished_last_line_of_a_dead_writer_is_left_out_by_its_length_only(
    shipper: Shipper, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    writer.write(decisions(2))
    writer.append(b"0123 {secret")
    writer.die()
    assert shipper.round(AGES) == Round(0, 0.0, 2, None)
    assert not writer.folder.exists()
    assert "left out 12 bytes" in caplog.text
    assert "secret" not in caplog.text


def test_a_new_folder_that_has_no_file_yet_is_left_alone(shipper: Shipper, writer: Writer) -> None:
    writer.die()
    shipper.round(AGES)
    assert writer.folder.exists()


def test_a_folder_that_is_not_locked_yet_is_not_looked_at(shipper: Shipper, writer: Writer) -> None:
    writer.write(decisions(2))
    writer.die()
    hidden = writer.folder.rename(writer.folder.with_name(f".{writer.folder.name}"))
    assert shipper.round(AGES) == Round(0, 0.0, 0, None)
    assert hidden.exists()


def test_a_corrupt_line_is_named_put_aside_and_passed_over(shipper: Shipper, kept: Kept, writer: Writer) -> None:
    writer.write(decisions(2))
    writer.append(b"this is no line of a record\n")
    writer.append(b"\xff\xfe\n")
    (last,) = writer.write(decisions(1))
    result = shipper.round(AGES)
    assert result.shipped == 3
    assert result.error is not None
    assert f"{writer.file} line 3" in result.error
    assert "2 such lines" in result.error
    assert "this is no line" not in result.error
    bad = writer.file.with_suffix(".jsonl.bad")
    assert bad.read_bytes() == b"this is no line of a record\n\xff\xfe\n"
    assert kept.links[-1] == last
    writer.die()
    shipper.round(AGES)
    assert [it.name for it in sorted(writer.folder.iterdir())] == [bad.name, "lock", "shipped"]


def test_what_was_shipped_and_not_noted_is_shipped_again_and_kept_once(
    store: Store, tmp_path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "journal"
    writer.write(decisions(5))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(WriterFolder, "advance", killed)
        with pytest.raises(KeyboardInterrupt):
            Shipper(journal, Database(store, SIGNER)).round(AGES)
    assert store.count(None, None) == 5
    writer.write(decisions(2))
    assert Shipper(journal, Database(store, SIGNER)).round(AGES) == Round(0, 0.0, 7, None)
    assert store.count(None, None) == 7


def test_two_shippers_of_one_journal_keep_every_record_once(store: Store, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    first, second = Shipper(journal, Database(store, SIGNER)), Shipper(journal, Database(store, SIGNER))
    writers = [Writer(journal) for _ in range(3)]
    for turn in range(6):
        for writer in writers:
            writer.write(decisions(10))
            writer.rotate()
        (first if turn % 2 else second).round(AGES)
        if turn == 3:
            writers.pop().die()
    for shipper in (first, second, first):
        assert shipper.round(AGES).pending == 0
    assert store.count(None, None) == 160
    assert sorted((it.first, it.last, it.links) for it in store.spans()) == [
        (1, 1, 1),  # by which key it is signed
        (1, 40, 40),
        (1, 60, 60),
        (1, 60, 60),
    ]


def test_a_folder_that_another_shipper_is_at_is_left_to_it(shipper: Shipper, kept: Kept, writer: Writer) -> None:
    writer.write(decisions(2))
    with WriterFolder(writer.folder).shipping() as ours:
        assert ours
        assert shipper.round(AGES).pending == 2
    assert shipper.round(AGES).pending == 0


def test_while_the_target_is_away_pending_and_lag_are_told(tmp_path: Path, kept: Kept, writer: Writer) -> None:
    watch = Watch()
    shipper = Shipper(tmp_path / "journal", kept, watch)
    kept.away = True
    writer.write(decisions(3))
    first = shipper.round(AGES)
    assert (first.pending, first.shipped, first.error) == (3, 0, "the target is away")
    assert first.lag_seconds > 0
    writer.write(decisions(2))
    assert shipper.round(AGES).pending == 5
    kept.away = False
    assert shipper.round(AGES).error == "the target is away"  # it is not asked again at once
    watch.now += 0.5
    assert shipper.round(AGES) == Round(0, 0.0, 5, None)


def test_attempts_become_rarer_and_a_hurry_ends_the_wait(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    shipper = Shipper(tmp_path / "journal", kept, watch)
    kept.away = True
    attempts: list[float] = []

    def prepare() -> None:
        attempts.append(watch.now)
        Kept.prepare(kept)

    monkeypatch.setattr(kept, "prepare", prepare)
    for _ in range(80):
        shipper.round(AGES)
        watch.now += 0.5
    assert attempts == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 25.5, 35.5]
    kept.away = False
    shipper.hurry()
    assert shipper.round(AGES).error is None


def test_the_lag_is_the_age_of_the_oldest_record(shipper: Shipper, kept: Kept, writer: Writer) -> None:
    kept.away = True
    writer.write(decisions(1, at=NOON + 10**9) + decisions(1, at=NOON))
    told = shipper.round(AGES).lag_seconds
    assert told == 0.0 or told > 1.0


def test_a_position_that_cannot_be_read_ships_again(shipper: Shipper, kept: Kept, writer: Writer) -> None:
    writer.write(decisions(2))
    shipper.round(AGES)
    for content in ("", "[]", '{"file": 1, "offset": 99999999}', '{"file": 7, "offset": 0}'):
        (writer.folder / "shipped").write_text(content)
        again = Kept()
        assert Shipper(shipper.journal, again).round(AGES).pending == 0
        assert len(again.links) == 2


def test_a_round_ends_when_its_time_is_over(
    tmp_path: Path, kept: Kept, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    shipper = Shipper(tmp_path / "journal", kept, watch)
    links = writer.write(decisions(4500))

    def slow(batch: list[Link]) -> None:
        watch.now += 1.0
        kept.links += batch

    monkeypatch.setattr(kept, "insert", slow)
    assert shipper.round(1.5).pending == 500
    assert shipper.behind
    assert shipper.round(1.5).pending == 0
    assert not shipper.behind
    assert kept.links == links


def test_a_folder_that_cannot_be_written_is_named_and_the_rest_goes_on(
    shipper: Shipper, kept: Kept, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    writer.write(decisions(2))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        result = shipper.round(AGES)
    assert (result.pending, len(kept.links)) == (0, 2)
    assert result.error == f"the journal's folder {writer.folder} cannot be worked on: No space left on device"
    writer.write(decisions(1))
    assert shipper.round(AGES) == Round(0, 0.0, 3, None)
