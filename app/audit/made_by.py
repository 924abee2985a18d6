"""What makes decisions here: the versions by which a decision can be made again years later."""

import platform
from importlib.metadata import PackageNotFoundError, version

from app import __version__
from app.settings import Settings


def made_by(settings: Settings) -> dict[str, str]:
    """Of this code, and of what its numbers depend on: scikit-learn's only where it is installed.

    Compiled models do without it.
    """
    here = {"version": __version__, "git_commit": settings.git_commit, "python": platform.python_version()}
    try:
        return here | {"scikit_learn": version("scikit-learn")}
    except PackageNotFoundError:
        return here
