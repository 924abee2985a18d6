"""Proves as the limited user that the buckets hold what is put into them, and that no other bucket can be had."""

import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

log = logging.getLogger("test")


def refused(what: str, call: Callable[..., object], **arguments: str) -> None:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        log.info("refused to %s", what)
        return
    raise SystemExit(f"the user can {what}")


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    keys = Path("/run/passwords")
    s3 = boto3.client(
        "s3",
        endpoint_url=os.environ["ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=(keys / "access-key").read_text(),
        aws_secret_access_key=(keys / "secret-key").read_text(),
    )
    body = secrets.token_bytes(64)
    for bucket in os.environ["BUCKETS"].split():
        key = f"helm-test/{secrets.token_hex(8)}"
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        read = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.delete_object(Bucket=bucket, Key=key)
        if read != body:
            raise SystemExit(f"bucket {bucket} gave back other bytes than it was given")
        log.info("wrote, read and deleted an object in bucket %s", bucket)
    refused("make a bucket", s3.create_bucket, Bucket=f"helm-test-{secrets.token_hex(8)}")
    refused("read another bucket", s3.list_objects_v2, Bucket="helm-test-elsewhere")


if __name__ == "__main__":
    main()
