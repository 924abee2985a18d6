"""The folder of pulled models: each entry complete or absent, and never served when a byte has changed.

<folder>/entries/<name>-<version>-<digest>/model.json, model/…, digests.json
<folder>/uris/<sha256 of the URI>.json        which entry answered that URI last
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from app.errors import ModelRefused
from app.scoring.model import ModelDocument

MODEL_FILE = "model.json"
DIGESTS_FILE = "digests.json"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def folder_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under a folder, by its path inside it, in order of the paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


def combined_digest(digests: dict[str, str]) -> str:
    """One SHA-256, in hex, for a folder's digests."""
    return sha256("".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()).hexdigest()


class ModelCache:
    """Entries in a folder, which is made when missing."""

    def __init__(self, folder: Path) -> None:
        self._entries = folder / "entries"
        self._uris = folder / "uris"
        for path in (self._entries, self._uris):
            path.mkdir(parents=True, exist_ok=True)

    def entry(self, name: str, version: str, digest: str) -> Path:
        """Where that model's entry is, or would be."""
        return self._entries / f"{name}-{version}-{digest[:16]}"

    def versions(self, name: str, version: str) -> list[Path]:
        """The entries of one version; more than one when a registry was made anew."""
        return sorted(self._entries.glob(f"{name}-{version}-*"))

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder to build an entry in; what was not committed is removed."""
        folder = Path(tempfile.mkdtemp(prefix=".staging-", dir=self._entries))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def commit(self, staged: Path, document: ModelDocument) -> Path:
        """Write model.json and the digests, then give the folder its name in one step."""
        identity = document.identity
        (staged / MODEL_FILE).write_text(json.dumps(document.to_json()))
        (staged / DIGESTS_FILE).write_text(json.dumps(folder_digests(staged), indent=1))
        target = self.entry(identity.name, identity.version, identity.digest)
        if target.exists():
            shutil.rmtree(target)
        os.replace(staged, target)
        return target

    def remember(self, uri: str, entry: Path) -> None:
        """From now on the URI's last answer is that entry."""
        with tempfile.NamedTemporaryFile("w", dir=self._uris, prefix=".", delete=False) as file:
            json.dump({"uri": uri, "entry": entry.name}, file)
        os.replace(file.name, self._uri_file(uri))

    def recall(self, uri: str) -> Path | None:
        """The entry that answered the URI last, or None."""
        path = self._uri_file(uri)
        if not path.exists():
            return None
        entry = self._entries / json.loads(path.read_text())["entry"]
        return entry if entry.is_dir() else None

    def _uri_file(self, uri: str) -> Path:
        return self._uris / f"{sha256(uri.encode()).hexdigest()}.json"


def read_entry(entry: Path) -> ModelDocument:
    """The document of an entry, after every file was compared with its digest.

    Raises ModelRefused naming the first file that is missing, new or changed.
    """
    try:
        expected = json.loads((entry / DIGESTS_FILE).read_text())
    except (OSError, ValueError) as error:
        raise ModelRefused(f"cached model {entry.name} has no readable {DIGESTS_FILE}; delete that folder") from error
    found = folder_digests(entry)
    found.pop(DIGESTS_FILE, None)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ModelRefused(f"cached model {entry.name}: {name} is not what was pulled; delete that folder")
    return ModelDocument.from_json(json.loads((entry / MODEL_FILE).read_text()))
