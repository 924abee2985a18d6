"""The folder of pulled models: each entry complete or absent, and never served when a byte has changed.

<folder>/entries/<name>-<version>-<digest>/model.json, model/…, digests.json
<folder>/uris/<sha256 of the URI>.json        which entry answered that URI last
"""

import fcntl
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from app.errors import ModelRefused
from app.models.document import document_bytes
from app.models.pointer import Pointer
from app.scoring.model import ModelDocument

MODEL_FILE = "model.json"
DIGESTS_FILE = "digests.json"
STAGING = ".staging-"

log = logging.getLogger(__name__)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def folder_bytes(folder: Path) -> int:
    """Size of every file under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def folder_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under a folder, by its path inside it, in order of the paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


def combined_digest(digests: dict[str, str]) -> str:
    """One SHA-256, in hex, for a folder's digests."""
    return sha256("".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()).hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises OSError when another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


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

    def find(self, wanted: Pointer, judged: bool = False, positive_class: str = "") -> Path | None:
        """The intact entry of a version, or None.

        A registry that was made anew gives old numbers to new models; the run tells them apart. An entry with another
        document than the version's own is none; judged: nor is one of other files than passed the gate. positive_class:
        what counts as default where the version's tag does not say; an entry that was made with another is none.
        """
        for entry in self.versions(wanted.name, wanted.version):
            try:
                document = read_entry(entry)
            except ModelRefused as error:
                log.warning("a cached model cannot be used", extra={"reason": str(error)})
                continue
            own = not wanted.document_digest or document_digest(entry) == wanted.document_digest
            found = document.identity
            own = own and _means(document.positive_class, wanted, positive_class)
            if own and found.run_id == wanted.run_id and (not judged or found.digest == wanted.gate_digest):
                return entry
        return None

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder to build an entry in; what was not committed is removed, by the next pull if this one is killed."""
        self._sweep()
        folder = Path(tempfile.mkdtemp(prefix=STAGING, dir=self._entries))
        with _locked(folder):
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        for folder in self._entries.glob(f"{STAGING}*"):
            # Its lock goes with the process that held it.
            with suppress(OSError), _locked(folder):
                shutil.rmtree(folder)

    def commit(
        self,
        staged: Path,
        document: ModelDocument,
        content: bytes | None = None,
        prove: Callable[[Path], None] = lambda _: None,
    ) -> Path:
        """Write model.json and the digests, then give the folder its name in one step.

        content: the file that the document was read from, which is kept to the byte; made where there was none.
        prove: raises for an entry that must not take the place of an earlier one.
        """
        identity = document.identity
        (staged / MODEL_FILE).write_bytes(document_bytes(document) if content is None else content)
        (staged / DIGESTS_FILE).write_text(json.dumps(folder_digests(staged), indent=1))
        prove(staged)
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
        os.utime(entry)

    def recall(self, uri: str) -> Path | None:
        """The entry that answered the URI last, or None."""
        path = self._uri_file(uri)
        if not path.exists():
            return None
        entry = self._entries / json.loads(path.read_text())["entry"]
        return entry if entry.is_dir() else None

    def forget(self, uri: str) -> None:
        """The URI recalls nothing any more; its entry stays until it is trimmed."""
        self._uri_file(uri).unlink(missing_ok=True)

    def trim(self, most_versions: int, most_bytes: int, keep: Path) -> list[Path]:
        """Remove the entries that were used longest ago until the rest is within both limits; gives the removed.

        What a URI recalls, and with it whatever serves, stays in any case, and so does `keep`.
        """
        recalled = {json.loads(path.read_text())["entry"] for path in self._uris.glob("*.json")} | {keep.name}
        entries = [path for path in self._entries.iterdir() if not path.name.startswith(STAGING)]
        entries.sort(key=lambda entry: (entry.name in recalled, entry.stat().st_mtime), reverse=True)
        removed, size = [], 0
        for number, entry in enumerate(entries, start=1):
            own = folder_bytes(entry)
            if entry.name not in recalled and (number > most_versions or size + own > most_bytes):
                shutil.rmtree(entry)
                removed.append(entry)
            else:
                size += own
        return removed

    def _uri_file(self, uri: str) -> Path:
        return self._uris / f"{sha256(uri.encode()).hexdigest()}.json"


def document_digest(entry: Path) -> str:
    """SHA-256, in hex, of an entry's document."""
    return file_digest(entry / MODEL_FILE)


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


def _means(named: str, wanted: Pointer, setting: str) -> bool:
    """Whether an entry that was made with that positive class, empty where nobody named one, has today's."""
    if wanted.positive_class:
        return named == wanted.positive_class
    # A version's document says it for good.
    return bool(wanted.document_digest) or not named or named == setting
