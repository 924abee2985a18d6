"""Files on disk and in S3 buckets: what an input names, and outputs that are there whole or not at all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from posixpath import basename, dirname
from typing import Any

from pyarrow import NativeFile
from pyarrow.fs import (
    AwsStandardS3RetryStrategy,
    FileInfo,
    FileSelector,
    FileSystem,
    FileType,
    LocalFileSystem,
    S3FileSystem,
)

from app.errors import DataInvalid

S3 = "s3://"
PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where outputs go."""

    filesystem: FileSystem
    path: str

    def of(self, name: str) -> str:
        return f"{self.path}/{name}"

    def has(self, name: str) -> bool:
        found: FileInfo = self.filesystem.get_file_info(self.of(name))
        return bool(found.type == FileType.File)

    def read_json(self, name: str) -> Any:
        """None where there is no such file or it is no JSON."""
        if not self.has(name):
            return None
        with self.filesystem.open_input_stream(self.of(name)) as stream:
            content = stream.read()
        try:
            return json.loads(content)
        except ValueError:
            return None

    def remove(self, name: str) -> None:
        """Whether it is there or not."""
        if self.has(name):
            self.filesystem.delete_file(self.of(name))

    @contextmanager
    def writing(self, name: str) -> Iterator[NativeFile]:
        """The file gets its name once it is complete; an interrupted one leaves nothing that could be taken for it.

        Raises DataInvalid when it cannot be written.
        """
        partial = name + PARTIAL
        try:
            with self.filesystem.open_output_stream(self.of(partial)) as stream:
                yield stream
            self.filesystem.move(self.of(partial), self.of(name))
        except OSError as error:
            raise DataInvalid(f"{name} cannot be written: {_one_line(error)}") from error
        except BaseException:
            self.remove(partial)
            raise


@dataclass(frozen=True, slots=True)
class Input:
    """One file to score."""

    filesystem: FileSystem
    path: str
    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since 1970."""

    @property
    def name(self) -> str:
        return basename(self.path)

    @property
    def parquet(self) -> bool:
        return self.path.endswith(".parquet")


def find(location: str, s3_endpoint_url: str) -> list[Input]:
    """The files of a path or s3:// address whose last part may hold *, ? and [], in the order of their names.

    Raises DataInvalid when there is none.
    """
    filesystem, path = _opened(location, s3_endpoint_url)
    try:
        found = filesystem.get_file_info(FileSelector(dirname(path), allow_not_found=True))
    except OSError as error:
        raise DataInvalid(f"{location} cannot be read: {_one_line(error)}") from error
    # A file may have any name, also one that would be a pattern.
    chosen = [info for info in found if info.path == path] or [
        info for info in found if fnmatchcase(basename(info.path), basename(path))
    ]
    files = [
        Input(filesystem, info.path, info.size, info.mtime_ns or 0)
        for info in sorted(chosen, key=lambda info: info.path)
        if info.type == FileType.File and not info.path.endswith(PARTIAL)
    ]
    if not files:
        raise DataInvalid(f"{location} names no file")
    return files


def output_folder(location: str, s3_endpoint_url: str) -> Folder:
    """The folder, made where it is missing. Raises DataInvalid when that cannot be."""
    filesystem, path = _opened(location.rstrip("/") + "/", s3_endpoint_url)
    path = path.rstrip("/")
    try:
        if isinstance(filesystem, LocalFileSystem):
            filesystem.create_dir(path)
        elif filesystem.get_file_info(path.partition("/")[0]).type != FileType.Directory:
            raise DataInvalid(f"{location} cannot be written: there is no such bucket")
    except OSError as error:
        raise DataInvalid(f"{location} cannot be written: {_one_line(error)}") from error
    return Folder(filesystem, path)


def _opened(location: str, s3_endpoint_url: str) -> tuple[FileSystem, str]:
    if not location.startswith(S3):
        return LocalFileSystem(), str(Path(location).absolute())
    path = location.removeprefix(S3)
    if not path.partition("/")[0] or "/" not in path:
        raise DataInvalid(f"{location} is not s3://bucket/key")
    # Keys and region are the AWS_* variables.
    patience = AwsStandardS3RetryStrategy(max_attempts=3)
    endpoint = s3_endpoint_url or None
    return S3FileSystem(
        endpoint_override=endpoint, connect_timeout=5, request_timeout=60, retry_strategy=patience
    ), path


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
