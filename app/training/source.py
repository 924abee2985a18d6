"""Reads a table of applicants, as it stands, from a CSV or Parquet file on disk or in an S3 bucket."""

from io import BytesIO
from pathlib import Path

import pandas as pd

from app.errors import DataInvalid
from app.features import MISSING_CELLS


def read_frame(location: str, s3_endpoint_url: str) -> pd.DataFrame:
    """The table at a path or an s3:// address; `.parquet` is Parquet, anything else CSV.

    s3_endpoint_url: of an S3 server other than AWS, or empty. Keys and region are the AWS_* variables, which
    boto3 reads itself. Raises DataInvalid when there is no such file or it is not a table.
    """
    content = _object(location, s3_endpoint_url) if location.startswith("s3://") else _file(location)
    try:
        if location.endswith(".parquet"):
            return pd.read_parquet(BytesIO(content)).reset_index(drop=True)
        return pd.read_csv(BytesIO(content), keep_default_na=False, na_values=list(MISSING_CELLS), low_memory=False)
    except (OSError, ValueError) as error:
        raise DataInvalid(f"{location} is not a table that can be read: {_one_line(error)}") from error


def _file(location: str) -> bytes:
    try:
        return Path(location).read_bytes()
    except OSError as error:
        raise DataInvalid(f"{location} cannot be read: {error.strerror or _one_line(error)}") from error


def _object(location: str, s3_endpoint_url: str) -> bytes:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = location.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise DataInvalid(f"{location} is not s3://bucket/key")
    patience = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 3, "mode": "standard"})
    try:
        client = boto3.client("s3", endpoint_url=s3_endpoint_url or None, config=patience)
        return client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, ClientError, ValueError) as error:
        raise DataInvalid(f"{location} cannot be read: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
