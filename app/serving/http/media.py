"""The one media type that a body may have."""

import re

from starlette.exceptions import HTTPException

from app.serving.http.messages import JSON, HeaderValues

# A missing Content-Type is refused as well: a browser may send a form without one, and nothing is guessed here.
JSON_IN_UTF8 = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)


def require_json(headers: HeaderValues) -> None:
    """Raises 415 for anything but application/json in UTF-8, uncompressed."""
    declared = headers.get(b"content-type", b"")
    if declared != JSON and not JSON_IN_UTF8.fullmatch(declared.decode("latin-1")):
        raise HTTPException(415, "the body must be sent with the header Content-Type: application/json")
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.lower() != b"identity":
        raise HTTPException(415, "the body must be sent without Content-Encoding")
