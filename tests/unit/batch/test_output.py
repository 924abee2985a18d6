"""Outputs are there whole or not at all."""

from pathlib import Path

import pytest

from app.batch.output import Folder, output_folder
from app.errors import DataInvalid
from app.tables.find import find


def folder_of(location: Path | str, s3_endpoint_url: str = "") -> Folder:
    return output_folder(str(location), s3_endpoint_url)


def names(location: Path | str, s3_endpoint_url: str = "") -> list[str]:
    return [file.name for file in find(str(location), s3_endpoint_url)]


@pytest.mark.parametrize("where", ["disk", "s3"])
def test_an_output_is_there_once_it_is_whole(tmp_path: Path, s3_endpoint_url: str, where: str) -> None:
    location = str(tmp_path / "new" / "folder") if where == "disk" else "s3://datasets/scored/run"
    folder = folder_of(location, s3_endpoint_url)
    assert folder.read_json("a.json") is None
    with folder.writing("a.json") as stream:
        stream.write(b'{"rows": 1}')
        assert not folder.has("a.json")
    assert folder.read_json("a.json") == {"rows": 1}
    assert names(f"{location}/*", s3_endpoint_url) == ["a.json"]
    folder.remove("a.json")
    assert not folder.has("a.json")


def interrupt(folder: Folder) -> None:
    with folder.writing("a.json") as stream:
        stream.write(b"2")
        raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["disk", "s3"])
def test_an_interrupted_output_leaves_the_one_before(tmp_path: Path, s3_endpoint_url: str, where: str) -> None:
    folder = folder_of(tmp_path if where == "disk" else "s3://datasets/interrupted", s3_endpoint_url)
    with folder.writing("a.json") as stream:
        stream.write(b"1")
    with pytest.raises(KeyboardInterrupt):
        interrupt(folder)
    assert folder.read_json("a.json") == 1
    assert not folder.has("a.json.partial")


def test_what_is_no_json_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    assert folder_of(tmp_path).read_json("a.json") is None


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, s3_endpoint_url: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataInvalid, match="cannot be written"):
        folder_of(tmp_path / "file")
    with pytest.raises(DataInvalid, match="no such bucket"):
        folder_of("s3://absent/scored", s3_endpoint_url)
