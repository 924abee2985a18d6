"""Makes the buckets, and the user who can reach nothing but them. Run as often as you like."""

import logging
import os
import time
from pathlib import Path
from ssl import create_default_context
from urllib.parse import urlsplit

from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.credentials import StaticProvider
from minio.error import MinioException
from minio.minioadmin import MinioAdmin
from minio.objectlockconfig import DAYS, ObjectLockConfig
from urllib3.exceptions import HTTPError
from urllib3.poolmanager import PoolManager
from urllib3.util import Retry, Timeout

POLICY = "credit-default-buckets"
log = logging.getLogger("setup")


def policy(buckets: list[str], locked: list[str]) -> dict[str, object]:
    """All of S3's everyday calls on these buckets, reading and adding on locked ones, and no others are even listed."""
    names = [f"arn:aws:s3:::{bucket}" for bucket in buckets]
    kept = [f"arn:aws:s3:::{bucket}" for bucket in locked]
    on_buckets = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    on_objects = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ]
    allowed = {
        (*on_buckets,): names,
        (*on_objects,): [f"{name}/*" for name in names],
        ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketVersions"): kept,
        ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"): [f"{name}/*" for name in kept],
    }
    statements = [{"Effect": "Allow", "Action": [*calls], "Resource": on} for calls, on in allowed.items() if on]
    return {"Version": "2012-10-17", "Statement": statements}


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


def make(
    server: Minio, admin: MinioAdmin, buckets: list[str], locked: list[str], days: int, user: str, password: str
) -> None:
    for bucket in (*buckets, *locked):
        if server.bucket_exists(bucket_name=bucket):
            log.info("bucket %s is there", bucket)
        else:
            server.make_bucket(bucket_name=bucket, object_lock=bucket in locked)
            log.info("bucket %s made", bucket)
    for bucket in locked:
        # A bucket that is there without object lock cannot get it, and is refused here.
        server.set_object_lock_config(bucket_name=bucket, config=ObjectLockConfig(COMPLIANCE, days, DAYS))
        log.info("objects of bucket %s stay for %d days", bucket, days)
    # Each of the three replaces what was there, so a password changed in the Secret is changed here too.
    admin.policy_add(POLICY, policy=policy(buckets, locked))
    admin.user_add(user, password)
    admin.policy_set(POLICY, user=user)
    log.info("user %s may use %s", user, ", ".join((*buckets, *locked)))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    secret = {path.name: path.read_text() for path in Path("/run/passwords").iterdir() if path.is_file()}
    address = urlsplit(os.environ["ENDPOINT_URL"])
    secure = address.scheme == "https"
    root = StaticProvider(secret["root-user"], secret["root-password"])
    http = PoolManager(timeout=Timeout(10), retries=Retry(0), ssl_context=create_default_context())
    server = Minio(endpoint=address.netloc, credentials=root, secure=secure, http_client=http)
    admin = MinioAdmin(endpoint=address.netloc, credentials=root, secure=secure, http_client=http)
    wait_for(server, float(os.environ["TIMEOUT_SECONDS"]))
    buckets, locked = os.environ["BUCKETS"].split(), os.environ["LOCKED_BUCKETS"].split()
    make(server, admin, buckets, locked, int(os.environ["LOCK_DAYS"]), secret["access-key"], secret["secret-key"])


if __name__ == "__main__":
    main()
