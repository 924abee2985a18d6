import pytest
from starlette.exceptions import HTTPException

from app.serving.http.media import require_json


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_in_utf_8_is_read(content_type: str) -> None:
    require_json({b"content-type": content_type.encode(), b"content-encoding": b"identity"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"content-type": b""},
        {b"content-type": b"text/json"},
        {b"content-type": b"application/jsonp"},
        {b"content-type": b"application/json; charset=latin-1"},
        {b"content-type": b"application/json", b"content-encoding": b"gzip"},
    ],
    ids=str,
)
def test_anything_else_is_415(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(HTTPException) as caught:
        require_json(headers)
    assert caught.value.status_code == 415
