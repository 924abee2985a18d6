"""Where checkpoints are kept: a folder, or a bucket of an S3 server whose objects cannot be changed or deleted."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from app.errors import RecordUnavailable, SettingInvalid
from app.settings import Settings

S3 = "s3://"


class Place(Protocol):
    """Documents by name. Every method may raise RecordUnavailable."""

    def names(self) -> list[str]:
        """Of all documents, in order."""

    def read(self, name: str) -> list[str]:
        """Every version of a document: where it was written over, or deleted, those before are still there."""

    def write(self, name: str, text: str) -> None:
        """Keep a new one."""


def place_of(settings: Settings) -> Place | None:
    """What audit.checkpoints names; None where it is empty. Raises SettingInvalid."""
    location = settings.audit.checkpoints
    if not location:
        return None
    if location.startswith(S3):
        return CheckpointBucket(location, settings.train.s3_endpoint_url)
    return CheckpointFolder(Path(location))


class CheckpointFolder:
    """For one machine, and for a volume that somebody else keeps."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        return sorted(it.relative_to(self._path).as_posix() for it in self._path.rglob("*.json"))

    def read(self, name: str) -> list[str]:
        with self._translated():
            return [(self._path / name).read_text()]

    def write(self, name: str, text: str) -> None:
        with self._translated():
            path = self._path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(text)
            part.replace(path)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise RecordUnavailable(f"the checkpoints in {self._path} cannot be used: {reason}") from error


class CheckpointBucket:
    """Of any S3 server. Its object lock is what keeps checkpoints from whoever owns the database.

    location: s3://bucket/prefix. endpoint: of a server other than AWS, or empty. Keys are the AWS_* variables, or those
    that the cloud gives the machine.
    """

    def __init__(self, location: str, endpoint: str) -> None:
        from minio import Minio
        from minio.credentials.providers import ChainedProvider, EnvAWSProvider, IamAwsProvider

        self._location = location
        self._bucket, _, prefix = location.removeprefix(S3).partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        parts = urlsplit(endpoint or "https://s3.amazonaws.com")
        if not parts.netloc or not self._bucket:
            raise SettingInvalid(f"audit.checkpoints: {location} is not s3://bucket/prefix at an S3 server")
        self._client = Minio(
            parts.netloc,
            secure=parts.scheme == "https",
            # Asked for otherwise, which needs a right of its own; other servers have one region.
            region="us-east-1" if endpoint else None,
            credentials=ChainedProvider([EnvAWSProvider(), IamAwsProvider()]),
        )

    def names(self) -> list[str]:
        with self._translated():
            found = self._client.list_objects(self._bucket, self._prefix, recursive=True, include_version=True)
            names = {it.object_name.removeprefix(self._prefix) for it in found if it.object_name}
            return sorted(it for it in names if it.endswith(".json"))

    def read(self, name: str) -> list[str]:
        key = self._prefix + name
        with self._translated():
            found = self._client.list_objects(self._bucket, key, recursive=True, include_version=True)
            versions = [it.version_id for it in found if it.object_name == key and not it.is_delete_marker]
            return [self._content(key, version) for version in versions]

    def write(self, name: str, text: str) -> None:
        data = text.encode()
        with self._translated():
            self._client.put_object(self._bucket, self._prefix + name, BytesIO(data), len(data), "application/json")

    def _content(self, key: str, version: str | None) -> str:
        response = self._client.get_object(self._bucket, key, version_id=None if version == "null" else version)
        try:
            return str(response.read().decode(errors="replace"))
        finally:
            response.close()
            response.release_conn()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        from minio.error import MinioException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (MinioException, HTTPError, OSError, ValueError) as error:
            reason = getattr(error, "code", None) or type(error).__name__
            raise RecordUnavailable(
                f"the checkpoints at {self._location} cannot be used: {reason}; see that the bucket is there, that"
                " MLFLOW_S3_ENDPOINT_URL (train.s3_endpoint_url) names its server, and AWS_ACCESS_KEY_ID and"
                " AWS_SECRET_ACCESS_KEY a user who may list versions, read and write there"
            ) from error
