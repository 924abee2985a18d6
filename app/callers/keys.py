"""Makes an API key, and what the callers' file keeps of it."""

import secrets

from app.callers.known import digest_of

PREFIX = "cdk_"
"""By which a key is recognised where it should not be, such as in a commit."""

RANDOM_BYTES = 32


def new_key() -> str:
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def entry_of(name: str, key: str, scopes: list[str]) -> str:
    """What to add to the callers' file."""
    # In quotes, because 64 digits alone would be read as a number.
    return f'- name: "{name}"\n  sha256: "{digest_of(key.encode()).hex()}"\n  scopes: [{", ".join(scopes)}]\n'
