"""Reading a table from disk and from S3."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

from app.errors import DataInvalid
from app.training.source import read_frame


@pytest.fixture(scope="module")
def s3_endpoint_url() -> Iterator[str]:
    """An S3 server on loopback with the bucket `datasets`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        url = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=url).create_bucket(Bucket="datasets")
        yield url
    server.stop()


def test_an_empty_cell_and_na_are_missing_and_other_words_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'"",income\r\n1,NA\r\n2,\r\n3,nan\r\n4,none\r\n5,7\r\n')
    income = read_frame(str(path), "")["income"]
    assert income.isna().tolist() == [True, True, False, False, False]
    assert income[2:].tolist() == ["nan", "none", "7"]


def test_a_csv_number_is_read_to_the_last_bit(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).lognormal(0, 9, 5_000)
    path = tmp_path / "a.csv"
    path.write_text("x\n" + "\n".join(map(repr, numbers.tolist())))
    assert read_frame(str(path), "")["x"].to_numpy().tobytes() == numbers.tobytes()


def test_parquet_holds_the_same_table_as_csv(tmp_path: Path, sample: pd.DataFrame) -> None:
    few = sample.head(50)
    few.to_parquet(tmp_path / "a.parquet")
    few.to_csv(tmp_path / "a.csv", index=False, na_rep="NA")
    pd.testing.assert_frame_equal(read_frame(str(tmp_path / "a.parquet"), ""), read_frame(str(tmp_path / "a.csv"), ""))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("ragged.csv", b"a,b\n1,2\n1,2,3,4\n"),
        ("binary.csv", b"\xff\xfe\x00\x01\n"),
        ("not.parquet", b"a,b\n1,2\n"),
    ],
)
def test_what_is_no_table_is_refused_with_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataInvalid, match=name):
        read_frame(str(path), "")


def test_a_missing_file_is_refused_with_its_name_and_why(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match=r"absent\.csv cannot be read: No such file"):
        read_frame(str(tmp_path / "absent.csv"), "")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="cannot be read: Is a directory"):
        read_frame(str(tmp_path), "")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_object_in_s3_is_read_as_the_file_would_be(
    tmp_path: Path, s3_endpoint_url: str, sample: pd.DataFrame, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    few = sample.head(20)
    few.to_csv(path, index=False) if suffix == "csv" else few.to_parquet(path)
    boto3.client("s3", endpoint_url=s3_endpoint_url).upload_file(str(path), "datasets", f"credit/a.{suffix}")
    found = read_frame(f"s3://datasets/credit/a.{suffix}", s3_endpoint_url)
    pd.testing.assert_frame_equal(found, read_frame(str(path), ""))


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("s3://absent/a.csv", "NoSuchBucket"),
        ("s3://datasets/absent.csv", "NoSuchKey"),
        ("s3://datasets", "is not s3://bucket/key"),
        ("s3:///a.csv", "is not s3://bucket/key"),
        ("s3://no such bucket/a.csv", "Invalid bucket name"),
    ],
)
def test_an_object_that_is_not_there_is_refused_with_its_address_and_why(
    s3_endpoint_url: str, location: str, reason: str
) -> None:
    with pytest.raises(DataInvalid, match=reason) as caught:
        read_frame(location, s3_endpoint_url)
    assert location in str(caught.value)


def test_an_s3_server_that_does_not_answer_is_a_reason_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with pytest.raises(DataInvalid, match="Could not connect"):
        read_frame("s3://datasets/a.csv", "http://127.0.0.1:9")
