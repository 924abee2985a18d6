"""Makes the buckets, and the user who can reach nothing but them. Run as often as you like."""

import logging
import os
import time
from pathlib import Path

from minio import Minio
from minio.credentials import StaticProvider
from minio.error import MinioException
from minio.minioadmin import MinioAdmin
from urllib3.exceptions import HTTPError
from urllib3.poolmanager import PoolManager
from urllib3.util import Retry, Timeout

POLICY = "credit-default-buckets"
log = logging.getLogger("setup")


def policy(buckets: list[str]) -> dict[str, object]:
    """All of S3's everyday calls on these buckets, and no other bucket so much as listed."""
    names = [f"arn:aws:s3:::{bucket}" for bucket in buckets]
    on_buckets = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    on_objects = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": on_buckets, "Resource": names},
            {"Effect": "Allow", "Action": on_objects, "Resource": [f"{name}/*" for name in names]},
        ],
    }


def wait_for(server: Minio, timeout_seconds: float, pause_seconds: float = 2) -> None:
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            server.list_buckets()
            return
        except (MinioException, HTTPError) as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"no answer from MinIO in {timeout_seconds:g} s; the last one: {error}") from error
            log.info("waiting for MinIO: %s", error)
            time.sleep(pause_seconds)


def make(server: Minio, admin: MinioAdmin, buckets: list[str], user: str, password: str) -> None:
    for bucket in buckets:
        if server.bucket_exists(bucket_name=bucket):
            log.info("bucket %s is there", bucket)
        else:
            server.make_bucket(bucket_name=bucket)
            log.info("bucket %s made", bucket)
    # Each of the three replaces what was there, so a password changed in the Secret is changed here too.
    admin.policy_add(POLICY, policy=policy(buckets))
    admin.user_add(user, password)
    admin.policy_set(POLICY, user=user)
    log.info("user %s may use %s", user, ", ".join(buckets))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    secret = {path.name: path.read_text() for path in Path("/run/passwords").iterdir() if path.is_file()}
    endpoint = os.environ["ENDPOINT"]
    root = StaticProvider(secret["root-user"], secret["root-password"])
    http = PoolManager(timeout=Timeout(10), retries=Retry(0))
    server = Minio(endpoint=endpoint, credentials=root, secure=False, http_client=http)
    admin = MinioAdmin(endpoint=endpoint, credentials=root, secure=False, http_client=http)
    wait_for(server, float(os.environ["TIMEOUT_SECONDS"]))
    make(server, admin, os.environ["BUCKETS"].split(), secret["access-key"], secret["secret-key"])


if __name__ == "__main__":
    main()
