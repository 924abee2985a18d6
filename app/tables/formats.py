"""What a file is, by how its content begins and not by its name; and its bytes, unpacked."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pyarrow as pa

from app.errors import DataInvalid
from app.tables.find import Input

HEAD_BYTES = 1 << 16
"""Looked at to tell what a file is; a first line has to end in them."""

PARQUET = b"PAR1"
PARQUET_ENDINGS = (".parquet", ".parq", ".pq")
ZIP = b"PK\x03\x04"
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
UTF_8 = "utf-8-sig"
ENCODINGS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
"""By their byte order marks; the four bytes before the two that they begin with."""

AS_A_TABLE = "save it as CSV or Parquet"
UNPACK = "unpack it, or pack it with gzip, bzip2, zip or zstd"
OTHERS = {
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", AS_A_TABLE),
    b"ARROW1": ("an Arrow or Feather file", AS_A_TABLE),
    b"FEA1": ("a Feather file", AS_A_TABLE),
    b"Obj\x01": ("an Avro file", AS_A_TABLE),
    b"\x89HDF": ("an HDF5 file", AS_A_TABLE),
    b"SQLite format 3": ("an SQLite database", AS_A_TABLE),
    b"{": ("JSON", AS_A_TABLE),
    b"[": ("JSON", AS_A_TABLE),
    b"<": ("a web page or XML", "download the file itself"),
    b"version https://git-lfs": ("a pointer to a file in Git LFS", "fetch the file with git lfs pull"),
    b"\xfd7zXZ": ("packed with xz", UNPACK),
    b"\x04\x22\x4d\x18": ("packed with lz4", UNPACK),
    b"7z\xbc\xaf": ("packed with 7-Zip", UNPACK),
    b"PK\x05\x06": ("an empty zip archive", "pack one table in it"),
    b"Rar!": ("packed with RAR", UNPACK),
    ZIP: ("packed twice", "unpack it once"),
    **dict.fromkeys(PACKED, ("packed twice", "unpack it once")),
}
TAR_MARK = slice(257, 262)


@dataclass(frozen=True, slots=True)
class Text:
    """A file of lines."""

    encoding: str
    head: str
    """How it begins, at most HEAD_BYTES of it."""


def text_of(file: Input) -> Text | None:
    """What a file of lines begins with; None for Parquet. Raises DataInvalid for every other kind, with the remedy."""
    with unpacked(file) as (raw, stream):
        head = stream.read(HEAD_BYTES)
        packed = stream is not raw
    if head.startswith(PARQUET):
        if packed:
            raise DataInvalid("it is Parquet that was packed once more; unpack it, Parquet packs itself")
        return None
    for begin, (kind, remedy) in OTHERS.items():
        if head.startswith(begin):
            raise DataInvalid(f"it is {kind}; {remedy}")
    if head[TAR_MARK] == b"ustar":
        raise DataInvalid("it is a tar archive; unpack it and name the table in it")
    if file.name.lower().endswith(PARQUET_ENDINGS):
        raise DataInvalid("it is not a table that can be read: it has Parquet's name and is no Parquet")
    encoding = next((name for mark, name in ENCODINGS.items() if head.startswith(mark)), UTF_8)
    whole = len(head) < HEAD_BYTES
    if encoding == UTF_8 and b"\0" in head:
        raise DataInvalid("it is no text: it holds zero bytes; UTF-16 is read when it begins with a byte order mark")
    # In UTF-8 only the cells that are read have to be right: a name in another column may be in Latin-1.
    decoder = codecs.getincrementaldecoder(encoding)("replace" if encoding == UTF_8 else "strict")
    return Text(encoding, decoder.decode(head, whole))


@contextmanager
def unpacked(file: Input) -> Iterator[tuple[pa.NativeFile, pa.NativeFile]]:
    """The file, whose tell() says how much of it was read, and the stream of what was packed in it.

    The same one twice where nothing was packed.
    """
    with file.filesystem.open_input_file(file.path) as raw:
        begin = raw.read(len(ZIP))
        raw.seek(0)
        codec = next((codec for mark, codec in PACKED.items() if begin.startswith(mark)), None)
        if codec is not None:
            with pa.CompressedInputStream(raw, codec) as stream:
                yield raw, stream
        elif begin == ZIP:
            with ZipFile(raw) as archive, archive.open(_only_member(archive)) as member:
                yield raw, pa.PythonFile(member, "r")
        else:
            yield raw, raw


def _only_member(archive: ZipFile) -> ZipInfo:
    names = archive.namelist()
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise DataInvalid(f"it is an office document, such as an Excel workbook; {AS_A_TABLE}")
    # What a Mac adds beside each file.
    found = [it for it in archive.infolist() if not it.is_dir() and not it.filename.startswith("__MACOSX/")]
    if len(found) != 1:
        raise DataInvalid(f"it is a zip archive of {len(found)} files; pack one table alone")
    if found[0].flag_bits & 1:
        raise DataInvalid("it is a zip archive with a password; unpack it")
    if found[0].compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise DataInvalid("it is a zip archive of a rare kind; unpack it, or pack it with zip -Z deflate")
    return found[0]
