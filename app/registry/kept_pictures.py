"""Pictures that are drawn of a version after its training, kept with its run."""

import tempfile
from pathlib import Path

from mlflow.exceptions import MlflowException

from app.registry.client import connect, translated
from app.settings import Settings

FOLDER = "pictures"
"""Where training keeps its own."""


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
