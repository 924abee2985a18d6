"""Entries of the model cache are complete, or absent, or refused."""

from contextlib import suppress
from pathlib import Path

import pytest

from app.cache import ModelCache, combined_digest, folder_digests, read_entry
from app.errors import ModelRefused
from tests.unit.scoring.test_model import linear_document

URI = "models:/credit-default-model@production"


def commit_entry(cache: ModelCache) -> Path:
    with cache.staging() as staged:
        (staged / "model").mkdir()
        (staged / "model" / "model.skops").write_bytes(b"numbers")
        return cache.commit(staged, linear_document(list(range(1, 11))))


def test_a_committed_entry_is_read_back(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path)
    assert read_entry(commit_entry(cache)) == linear_document(list(range(1, 11)))


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
