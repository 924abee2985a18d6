"""Entries of the model cache are complete, or absent, or refused; those used longest ago leave first."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ModelRefused
from app.models.cache import (
    ModelCache,
    combined_digest,
    document_digest,
    folder_bytes,
    folder_digests,
    read_entry,
)
from app.models.pointer import Pointer
from app.settings import ROOT
from harness.fields import PLAIN
from tests.support.fakes import NAME, constant_document
from tests.unit.scoring.test_model import linear_document

URI = "models:/credit-default-model@production"


def commit_entry(cache: ModelCache) -> Path:
    with cache.staging() as staged:
        (staged / "model").mkdir()
        (staged / "model" / "model.skops").write_bytes(b"numbers")
        return cache.commit(staged, linear_document(PLAIN))


def test_a_committed_entry_is_read_back(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    assert read_entry(commit_entry(cache)) == linear_document(PLAIN)


def test_a_uri_recalls_its_last_entry(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    assert cache.recall(URI) is None
    entry = commit_entry(cache)
    cache.remember(URI, entry)
    assert ModelCache(tmp_path).recall(URI) == entry


def test_a_pull_that_fails_leaves_nothing(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    with suppress(ModelRefused), cache.staging() as staged:
        (staged / "half").write_text("half")
        raise ModelRefused
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_same_version_again_replaces_its_entry(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    entry = commit_entry(cache)
    assert commit_entry(cache) == entry
    assert cache.versions("credit-default-model", "7") == [entry]


@pytest.mark.parametrize("name", ["model.json", "model/model.skops"])
def test_one_changed_byte_is_refused_by_the_files_name(tmp_path: Path, name: str) -> None:
    entry = commit_entry(ModelCache(tmp_path))
    content = bytearray((entry / name).read_bytes())
    content[-1] ^= 1
    (entry / name).write_bytes(content)
    with pytest.raises(ModelRefused, match=f"{name} is not what was pulled"):
        read_entry(entry)


def test_a_file_that_appeared_or_vanished_is_refused(tmp_path: Path) -> None:
    entry = commit_entry(ModelCache(tmp_path))
    (entry / "extra.pkl").write_bytes(b"")
    with pytest.raises(ModelRefused, match=r"extra\.pkl"):
        read_entry(entry)
    (entry / "extra.pkl").unlink()
    (entry / "model" / "model.skops").unlink()
    with pytest.raises(ModelRefused, match=r"model\.skops"):
        read_entry(entry)


def test_an_entry_without_digests_is_refused(tmp_path: Path) -> None:
    entry = commit_entry(ModelCache(tmp_path))
    (entry / "digests.json").unlink()
    with pytest.raises(ModelRefused, match="no readable digests"):
        read_entry(entry)


def test_the_combined_digest_depends_on_names_and_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = combined_digest(folder_digests(tmp_path))
    (tmp_path / "a").rename(tmp_path / "b")
    assert combined_digest(folder_digests(tmp_path)) != first


GENEROUS = 1 << 30


def versions_in(cache: ModelCache, count: int) -> list[Path]:
    """Entries of versions 1 to count, each used a second after the one before it."""
    entries = []
    for number in range(1, count + 1):
        with cache.staging() as staged:
            entry = cache.commit(staged, constant_document(0.3, str(number)))
        os.utime(entry, (number, number))
        entries.append(entry)
    return entries


def test_trimming_leaves_the_versions_used_last(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    entries = versions_in(cache, 5)
    assert cache.trim(3, GENEROUS, keep=entries[4]) == [entries[1], entries[0]]
    assert [entry.exists() for entry in entries] == [False, False, True, True, True]


def test_trimming_keeps_within_the_size(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    entries = versions_in(cache, 4)
    assert cache.trim(10, 2 * folder_bytes(entries[0]), keep=entries[3]) == [entries[1], entries[0]]


def test_what_a_uri_recalls_and_what_was_just_pulled_stay_whatever_the_limits(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    entries = versions_in(cache, 4)
    cache.remember(URI, entries[0])
    os.utime(entries[0], (1, 1))
    assert cache.trim(2, 1, keep=entries[1]) == [entries[3], entries[2]]
    assert cache.recall(URI) == entries[0]


def test_what_is_forgotten_may_be_trimmed(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    entries = versions_in(cache, 2)
    cache.remember(URI, entries[0])
    os.utime(entries[0], (1, 1))
    cache.forget(URI)
    cache.forget("models:/never@heard-of")
    assert (cache.recall(URI), cache.trim(1, GENEROUS, keep=entries[1])) == (None, [entries[0]])


def test_a_version_is_found_by_its_run_while_it_is_intact(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    entry = versions_in(cache, 1)[0]
    pointer = Pointer(NAME, "1", "run1")
    assert cache.find(pointer) == entry
    assert cache.find(replace(pointer, run_id="of another registry")) is None
    (entry / "model.json").write_text("{}")
    assert cache.find(pointer) is None


def test_a_version_whose_document_was_made_again_is_not_found(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    entry = versions_in(cache, 1)[0]
    pointer = Pointer(NAME, "1", "run1", document="runs:/0a/document.json", document_digest=document_digest(entry))
    assert cache.find(pointer) == entry
    assert cache.find(replace(pointer, document_digest="0" * 64)) is None


def test_where_a_verdict_is_wanted_an_entry_of_other_files_than_passed_is_not_found(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    entry = versions_in(cache, 1)[0]
    pointer = Pointer(NAME, "1", "run1", gate="passed", gate_digest=f"{1:0>64}")
    assert cache.find(pointer, judged=True) == entry
    assert cache.find(replace(pointer, gate_digest="0" * 64), judged=True) is None


@pytest.mark.parametrize(
    ("tag", "setting", "found"),
    [("", "", False), ("", "bad", True), ("", "good", False), ("bad", "good", True), ("good", "bad", False)],
)
def test_an_entry_of_another_positive_class_is_not_found(tmp_path: Path, tag: str, setting: str, found: bool) -> None:
    cache = ModelCache(tmp_path)
    with cache.staging() as folder:
        entry = cache.commit(folder, replace(constant_document(0.3), positive_class="bad"))
    pointer = Pointer(NAME, "1", "run1", positive_class=tag)
    assert (cache.find(pointer, positive_class=setting) == entry) is found


def test_an_entry_that_is_not_proven_leaves_the_one_before_it(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    entry = versions_in(cache, 1)[0]

    def refuse(_: Path) -> None:
        raise ModelRefused("golden row 0")

    with cache.staging() as folder, pytest.raises(ModelRefused, match="golden row 0"):
        cache.commit(folder, constant_document(0.3), prove=refuse)
    assert cache.find(Pointer(NAME, "1", "run1")) == entry


def test_a_document_that_came_as_a_file_is_kept_to_the_byte(tmp_path: Path) -> None:
    cache, document = ModelCache(tmp_path), constant_document(0.3)
    content = json.dumps(document.to_json(), indent=3).encode()
    with cache.staging() as staged:
        entry = cache.commit(staged, document, content)
    assert (entry / "model.json").read_bytes() == content
    assert read_entry(entry) == document


KILLED_WHILE_STAGING = """
import os, signal, sys
from pathlib import Path
from app.models.cache import ModelCache
from harness.fields import PLAIN
with ModelCache(Path(sys.argv[1])).staging() as staged:
    (staged / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_pull_left_goes_with_the_next_and_what_runs_stays(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED_WHILE_STAGING, str(tmp_path)], cwd=ROOT, check=False)
    assert len(list(tmp_path.rglob("half"))) == 1
    cache = ModelCache(tmp_path)
    with cache.staging() as first:
        assert list(tmp_path.rglob("half")) == []
        with cache.staging():
            assert first.exists()
