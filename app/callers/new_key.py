"""Makes an API key, and the entry of the callers' file for it."""

import secrets

from app.callers.known import digest_of

PREFIX = "cdk_"
"""What every key begins with, so that a scan finds one where it should not be, such as in a commit."""

RANDOM_BYTES = 32


def new_key() -> str:
    """A new random key, to be shown once and kept nowhere."""
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def entry_of(name: str, key: str, scopes: list[str], per_minute: int | None = None) -> str:
    """The lines to add to the callers' file for a key: its hash, not the key."""
    limit = "" if per_minute is None else f"  per_minute: {per_minute}\n"
    # In quotes, because 64 digits alone would be read as a number.
    return f'- name: "{name}"\n  sha256: "{digest_of(key.encode()).hex()}"\n  scopes: [{", ".join(scopes)}]\n{limit}'
