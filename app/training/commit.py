"""Which commit of the code trains or judges."""

import subprocess

from app.settings import ROOT, Settings

UNKNOWN = Settings.model_fields["git_commit"].default


def code_commit(settings: Settings) -> str:
    """The commit that the settings name, else the one that is checked out, with "-dirty" where files differ from it.

    "unknown" where there is neither, as in an image built without GIT_COMMIT.
    """
    if settings.git_commit != UNKNOWN or not (ROOT / ".git").exists():
        return settings.git_commit
    # Without the tags, the answer is always the full hash.
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return str(UNKNOWN)
    return found.stdout.strip()
