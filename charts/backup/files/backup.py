"""Keeps dumps of databases and the objects of buckets in another object store, as sets, and fetches a set back.

A set is whole once its manifest is there, which is written last. Objects lie beside the sets, once, and each
run copies what is new.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from minio import Minio
from minio.credentials import StaticProvider
from minio.credentials.providers import ChainedProvider, EnvAWSProvider, IamAwsProvider
from minio.datatypes import Object
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

MANIFEST = "manifest.json"
NAME = "%Y%m%dT%H%M%SZ"
SUFFIX = ".dump"
PART_BYTES = 16 << 20


class Place:
    """A prefix of a bucket."""

    def __init__(self, server: Minio, bucket: str, prefix: str = "") -> None:
        self.server, self.bucket = server, bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def below(self, folder: str) -> "Place":
        return Place(self.server, self.bucket, f"{self.prefix}{folder}")

    def objects(self) -> dict[str, Object]:
        """Every object here, by its name."""
        found = self.server.list_objects(self.bucket, self.prefix, recursive=True)
        return {it.object_name.removeprefix(self.prefix): it for it in found}

    def folders(self) -> list[str]:
        found = self.server.list_objects(self.bucket, self.prefix)
        return sorted(it.object_name.removeprefix(self.prefix).strip("/") for it in found if it.is_dir)

    def read(self, name: str) -> bytes:
        response = self.server.get_object(self.bucket, self.prefix + name)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()

    def write(self, name: str, content: bytes) -> None:
        self.server.put_object(self.bucket, self.prefix + name, BytesIO(content), len(content))

    def remove(self, names: list[str]) -> None:
        for name in names:
            self.server.remove_object(self.bucket, self.prefix + name)


def differs(now: Object, kept: Object) -> bool:
    """Whether a copy may not be of what is there now. Of what comes in parts, ETags of equal contents differ."""
    return now.size != kept.size or (now.etag != kept.etag and kept.last_modified <= now.last_modified)


def copy(source: Place, target: Place, anew: bool) -> tuple[int, int]:
    """Every object that the target has not; gives how many, and how many there are.

    anew: those too that are another there.
    """
    there, copied = target.objects(), 0
    objects = source.objects()
    for name, it in objects.items():
        if name in there and not (anew and differs(it, there[name])):
            continue
        response = source.server.get_object(source.bucket, source.prefix + name)
        try:
            target.server.put_object(target.bucket, target.prefix + name, response, it.size, part_size=PART_BYTES)
        finally:
            response.close()
            response.release_conn()
        copied += 1
    return copied, len(objects)


def sets(target: Place) -> dict[str, Place]:
    """The sets that are whole, by their names, the oldest first."""
    kept = target.below("sets")
    return {name: kept.below(name) for name in kept.folders() if MANIFEST in kept.below(name).objects()}


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(dumps: Path, buckets: dict[str, Place], target: Place, keep_days: int, now: datetime) -> str:
    """Keep a set of the dumps, and what the buckets have by now: all that the databases, dumped before, speak of."""
    name = now.strftime(NAME)
    place, manifest = target.below(f"sets/{name}"), {"at": now.isoformat(), "dumps": {}, "objects": {}}
    for path in sorted(dumps.glob(f"*{SUFFIX}")):
        place.server.fput_object(place.bucket, place.prefix + path.name, str(path), part_size=PART_BYTES)
        manifest["dumps"][path.name] = {"bytes": path.stat().st_size, "sha256": digest_of(path)}
    copied = 0
    for bucket, source in buckets.items():
        new, count = copy(source, target.below(f"objects/{bucket}"), anew=True)
        manifest["objects"][bucket] = count
        copied += new
    place.write(MANIFEST, json.dumps(manifest, indent=1).encode())
    old = (now - timedelta(days=keep_days)).strftime(NAME)
    gone = [place for kept, place in sets(target).items() if kept < old]
    for each in gone:
        # The manifest first: what is left of a set that is cut short is none.
        each.remove(sorted(each.objects(), key=lambda it: it != MANIFEST))
    size = sum(it["bytes"] for it in manifest["dumps"].values())
    total = sum(manifest["objects"].values())
    return (
        f"set {name}: {len(manifest['dumps'])} dumps of {size:,} bytes, {copied:,} of {total:,} objects copied,"
        f" {len(gone)} older sets removed"
    )


def read(dumps: Path, buckets: dict[str, Place], target: Place, wanted: str) -> str:
    """Fetch the dumps of a set, the newest one when none is wanted, and every object that the buckets have not."""
    found = sets(target)
    name = wanted or next(reversed(found), "")
    if name not in found:
        there = ", ".join([*found][-5:]) or "none"
        raise SystemExit(
            f"there is no whole set {name or 'at all'} at {target.bucket}/{target.prefix}; there are {there}"
        )
    manifest = json.loads(found[name].read(MANIFEST))
    for file, about in manifest["dumps"].items():
        path = dumps / file
        target.server.fget_object(target.bucket, found[name].prefix + file, str(path))
        if digest_of(path) != about["sha256"]:
            raise SystemExit(f"{file} of set {name} is not what was kept: its SHA-256 differs; take an older set")
    copied = sum(copy(target.below(f"objects/{it}"), source, anew=False)[0] for it, source in buckets.items())
    return f"set {name} of {manifest['at']}: {len(manifest['dumps'])} dumps, {copied:,} objects"


def check(buckets: dict[str, Place], target: Place) -> str:
    """Whether all stores answer, and how many sets there are."""
    for place in (*buckets.values(), target):
        next(iter(place.server.list_objects(place.bucket, place.prefix)), None)
    found = [*sets(target)]
    return f"{len(found)} sets" + (f", the newest {found[-1]}" if found else "")


def server_of(endpoint: str, keys: Path) -> Minio:
    """With the keys that lie in a folder, or without them those that the cloud gives the pod."""
    parts = urlsplit(endpoint or "https://s3.amazonaws.com")
    if (keys / "access-key").exists():
        provider = StaticProvider((keys / "access-key").read_text(), (keys / "secret-key").read_text())
    else:
        provider = ChainedProvider([EnvAWSProvider(), IamAwsProvider()])
    region = "us-east-1" if endpoint else None
    return Minio(parts.netloc, secure=parts.scheme == "https", region=region, credentials=provider)


def places() -> tuple[dict[str, Place], Place]:
    """The buckets that are kept, and where."""
    source = server_of(os.environ["SOURCE_ENDPOINT"], Path("/run/source"))
    target = server_of(os.environ["TARGET_ENDPOINT"], Path("/run/target"))
    bucket, _, prefix = os.environ["TARGET_LOCATION"].removeprefix("s3://").partition("/")
    return {it: Place(source, it) for it in os.environ["SOURCE_BUCKETS"].split()}, Place(target, bucket, prefix)


def main(command: str) -> Iterator[str]:
    buckets, target = places()
    dumps = Path("/dumps")
    try:
        if command == "write":
            yield write(dumps, buckets, target, int(os.environ["KEEP_DAYS"]), datetime.now(UTC))
        elif command == "read":
            yield read(dumps, buckets, target, os.environ["SET"])
        else:
            yield check(buckets, target)
    except (MinioException, HTTPError) as error:
        what = (
            f"{error.code} for {error.bucket_name}"
            if isinstance(error, S3Error)
            else f"{type(error).__name__}: {error}"
        )
        raise SystemExit(f"an object store refused or did not answer: {what}") from error


if __name__ == "__main__":
    for line in main(sys.argv[1]):
        print(line)  # noqa: T201 - the log of a Job
