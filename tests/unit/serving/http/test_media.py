import pytest
from starlette.exceptions import HTTPException

from app.serving.http.media import require_json


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_in_utf_8_is_read(content_type: str) -> None:
    require_json({"content-type": content_type, "content-encoding": "identity"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/json"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
    ids=str,
)
def test_anything_else_is_415(headers: dict[str, str]) -> None:
    with pytest.raises(HTTPException) as caught:
        require_json(headers)
    assert caught.value.status_code == 415
