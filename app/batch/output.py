"""Outputs on disk and in S3 buckets that are there whole or not at all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyarrow import NativeFile
from pyarrow.fs import FileInfo, FileSystem, FileType, LocalFileSystem

from app.errors import DataInvalid
from app.tables.find import PARTIAL, one_line, opened


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
            raise DataInvalid(f"{name} cannot be written: {one_line(error)}") from error
        except BaseException:
            self.remove(partial)
            raise


def output_folder(location: str, s3_endpoint_url: str) -> Folder:
    """The folder, made where it is missing. Raises DataInvalid when that cannot be."""
    filesystem, path = opened(location.rstrip("/") + "/", s3_endpoint_url)
    path = path.rstrip("/")
    try:
        if isinstance(filesystem, LocalFileSystem):
            filesystem.create_dir(path)
        elif filesystem.get_file_info(path.partition("/")[0]).type != FileType.Directory:
            raise DataInvalid(f"{location} cannot be written: there is no such bucket")
    except OSError as error:
        raise DataInvalid(f"{location} cannot be written: {one_line(error)}") from error
    return Folder(filesystem, path)
