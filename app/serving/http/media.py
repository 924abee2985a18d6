"""The one media type that a body may have."""

import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException

# A missing Content-Type is refused as well: a browser may send a form without one, and nothing is guessed here.
JSON_IN_UTF8 = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)


def require_json(headers: Mapping[str, str]) -> None:
    """Raises 415 for anything but application/json in UTF-8, uncompressed."""
    if not JSON_IN_UTF8.fullmatch(headers.get("content-type", "")):
        raise HTTPException(415, "the body must be sent with the header Content-Type: application/json")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "the body must be sent without Content-Encoding")
