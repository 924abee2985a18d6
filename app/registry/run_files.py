"""What people look at of a version, which its run keeps: the model card and the pictures."""

import posixpath
import re
import tempfile
from pathlib import Path

from mlflow.exceptions import MlflowException

from app.registry.client import connect, translated
from app.settings import Settings

FOLDER = "pictures"
CARD = "model_card.md"
PICTURE = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}\.png")
MOST_BYTES = 8 << 20
"""Of one file that is shown."""


def keep_picture(name: str, picture: bytes, run_id: str, settings: Settings) -> str | None:
    """Where it is kept, as runs:/run/path; None where the version has no run, or none any more.

    name: of the file; an older picture of that name is replaced. Raises ModelUnavailable.
    """
    if not run_id:
        return None
    with translated(f"cannot keep the picture {name}"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(picture)
        try:
            connect(settings).log_artifact(run_id, str(path), FOLDER)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
    return f"runs:/{run_id}/{FOLDER}/{name}"


def pictures_of(run_id: str, settings: Settings) -> list[str]:
    """Their file names; none where there is no such run. Raises ModelUnavailable."""
    return sorted(name for name in _listed(run_id, FOLDER, settings) if PICTURE.fullmatch(name))


def picture_of(run_id: str, name: str, settings: Settings) -> bytes | None:
    """A PNG by its file name; None where the run has none of that name. Raises ModelUnavailable."""
    return _read(run_id, FOLDER, name, settings) if PICTURE.fullmatch(name) else None


def card_of(run_id: str, settings: Settings) -> str | None:
    """Markdown; None where the run has none. Raises ModelUnavailable."""
    content = _read(run_id, "", CARD, settings)
    return None if content is None else content.decode("utf-8", "replace")


def _listed(run_id: str, folder: str, settings: Settings) -> dict[str, int]:
    """Bytes by file name."""
    if not run_id:
        return {}
    with translated("cannot list what is kept with a version"):
        try:
            found = connect(settings).list_artifacts(run_id, folder or None)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
    return {posixpath.basename(it.path): it.file_size or 0 for it in found if not it.is_dir}


def _read(run_id: str, folder: str, name: str, settings: Settings) -> bytes | None:
    size = _listed(run_id, folder, settings).get(name)
    if size is None or size > MOST_BYTES:
        return None
    with translated(f"cannot read {name}"), tempfile.TemporaryDirectory() as target:
        return Path(connect(settings).download_artifacts(run_id, posixpath.join(folder, name), target)).read_bytes()
