"""Inputs by name or pattern, on disk and in S3."""

from pathlib import Path

import pytest

from app.errors import DataInvalid
from app.tables.find import find, find_one


def names(location: Path | str, s3_endpoint_url: str = "") -> list[str]:
    return [file.name for file in find(str(location), s3_endpoint_url)]


def refusal(location: Path | str, s3_endpoint_url: str = "") -> str:
    with pytest.raises(DataInvalid) as caught:
        find_one(str(location), s3_endpoint_url)
    return str(caught.value)


def test_a_pattern_names_the_files_of_one_folder_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.parquet", "d.csv.partial"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "e.csv").mkdir()
    assert names(tmp_path / "*.csv") == ["a.csv", "b.csv"]
    assert names(tmp_path / "*") == ["a.csv", "b.csv", "c.parquet"]
    assert names(tmp_path / "[bc].*") == ["b.csv", "c.parquet"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    for name in ("a[1].csv", "a1.csv"):
        (tmp_path / name).write_bytes(b"x")
    assert names(tmp_path / "a[1].csv") == ["a[1].csv"]


def test_what_names_no_file_is_refused(tmp_path: Path, s3_endpoint_url: str) -> None:
    on_disk = (tmp_path / "absent.csv", tmp_path / "absent" / "a.csv", tmp_path)
    for location in (*on_disk, "s3://datasets/none/*.csv", "s3://absent/a.csv"):
        with pytest.raises(DataInvalid, match=r"names no file"):
            find(str(location), s3_endpoint_url)


def test_an_address_without_a_key_is_refused(s3_endpoint_url: str) -> None:
    with pytest.raises(DataInvalid, match="is not s3://bucket/key"):
        find("s3://datasets", s3_endpoint_url)


def test_a_server_that_does_not_answer_is_a_reason_and_no_traceback(s3_endpoint_url: str) -> None:
    with pytest.raises(DataInvalid, match=r"s3://datasets/a\.csv cannot be read"):
        find("s3://datasets/a.csv", "http://127.0.0.1:9")


def test_a_folder_is_refused_with_how_to_name_what_is_in_it(tmp_path: Path) -> None:
    expected = f"it names no file but a folder; name files in it, as {tmp_path}/*.csv"
    assert refusal(tmp_path) == f"{tmp_path} cannot be read: {expected}"


def test_a_link_is_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    (tmp_path / "c.csv").symlink_to(tmp_path / "absent.csv")
    assert names(tmp_path / "*.csv") == ["a.csv", "b.csv"]
    assert "names no file" in refusal(tmp_path / "c.csv")


@pytest.mark.parametrize("scheme", ["https://", "http://", "gs://", "abfs://", "file://", "S3://"])
def test_other_addresses_are_refused_by_name_with_what_to_do(scheme: str) -> None:
    said = refusal(f"{scheme}data/a.csv")
    expected = f"{scheme} addresses are not read; copy the file to disk or to s3:// first"
    assert said == f"{scheme}data/a.csv: {expected}"


def test_one_file_is_not_several(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x")
    assert find_one(str(tmp_path / "*.csv"), "").name == "a.csv"
    (tmp_path / "b.csv").write_bytes(b"x")
    assert refusal(tmp_path / "*.csv").endswith("*.csv names 2 files where one is read; join them, or name one")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("s3://absent/a.csv", "cannot be read: it names no file"),
        ("s3://datasets/absent.csv", "cannot be read: it names no file"),
        ("s3://datasets", "is not s3://bucket/key"),
        ("s3:///a.csv", "is not s3://bucket/key"),
        ("s3://no such bucket/a.csv", "cannot be read: it names no file"),
    ],
)
def test_an_object_that_is_not_there_is_refused_with_its_address_and_why(
    s3_endpoint_url: str, location: str, reason: str
) -> None:
    assert refusal(location, s3_endpoint_url).startswith(f"{location} {reason}")
