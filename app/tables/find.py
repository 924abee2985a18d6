"""What a path or an s3:// address names: the files to read, or why there is none."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from posixpath import basename, dirname

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
"""Ends the name of an output that is being written."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file to read."""

    filesystem: FileSystem
    path: str
    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since 1970."""

    @property
    def name(self) -> str:
        return basename(self.path)


def find(location: str, s3_endpoint_url: str) -> list[Input]:
    """The files of a path or s3:// address whose last part may hold *, ? and [], in the order of their names.

    s3_endpoint_url: of an S3 server other than AWS, or empty. Raises DataInvalid when there is none, and for any
    other kind of address.
    """
    filesystem, path = opened(location, s3_endpoint_url)
    try:
        # A file may have any name, also one that would be a pattern; and to ask for one needs no right to list.
        named = filesystem.get_file_info(path)
        if named.type == FileType.File:
            return [_input(filesystem, named)]
        beside = filesystem.get_file_info(FileSelector(dirname(path), allow_not_found=True))
    except OSError as error:
        raise DataInvalid(f"{location} cannot be read: {one_line(error)}") from error
    files = [
        _input(filesystem, info)
        for info in sorted(beside, key=lambda info: info.path)
        if info.type == FileType.File and fnmatchcase(basename(info.path), basename(path)) and not _partial(info)
    ]
    if not files:
        is_folder = named.type == FileType.Directory
        remedy = f" but a folder; name files in it, as {location.rstrip('/')}/*.csv" if is_folder else ""
        raise DataInvalid(f"{location} cannot be read: it names no file{remedy}")
    return files


def find_one(location: str, s3_endpoint_url: str) -> Input:
    """The only file that a location names. Raises DataInvalid as find does, and when there are several."""
    files = find(location, s3_endpoint_url)
    if len(files) > 1:
        raise DataInvalid(f"{location} names {len(files)} files where one is read; join them, or name one")
    return files[0]


def opened(location: str, s3_endpoint_url: str) -> tuple[FileSystem, str]:
    """Where a location is, and its path there. Raises DataInvalid."""
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", location)
    if scheme is None:
        return LocalFileSystem(), str(Path(location).absolute())
    if scheme[0] != S3:
        raise DataInvalid(f"{location}: {scheme[0]} addresses are not read; copy the file to disk or to s3:// first")
    path = location.removeprefix(S3)
    if not path.partition("/")[0] or "/" not in path:
        raise DataInvalid(f"{location} is not s3://bucket/key")
    # Keys and region are the AWS_* variables.
    patience = AwsStandardS3RetryStrategy(max_attempts=3)
    endpoint = s3_endpoint_url or None
    return S3FileSystem(
        endpoint_override=endpoint, connect_timeout=5, request_timeout=60, retry_strategy=patience
    ), path


def one_line(error: Exception) -> str:
    """What an exception says, or its kind where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def _input(filesystem: FileSystem, info: FileInfo) -> Input:
    return Input(filesystem, info.path, info.size, info.mtime_ns or 0)


def _partial(info: FileInfo) -> bool:
    return bool(info.path.endswith(PARTIAL))
