import importlib.metadata
import json
import re
from collections.abc import Iterator
from typing import Any

from openapi_spec_validator import validate

from app import __version__
from tests.support.fakes import Api

API = Api()


def test_the_document_is_valid_openapi() -> None:
    document = API.get("/openapi.json").json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert (document["info"]["title"], document["info"]["version"]) == ("Credit-default decisions", __version__)


def test_every_operation_has_a_summary_a_tag_an_id_and_documented_errors() -> None:
    document = API.get("/openapi.json").json()
    known = {tag["name"] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert set(operation["tags"]) <= known
            assert re.fullmatch("[a-z_]+", operation["operationId"])
            errors = {status: it for status, it in operation["responses"].items() if status >= "400"}
            assert "500" in errors, path
            assert all(list(it["content"]) == ["application/problem+json"] for it in errors.values()), path


def test_the_document_says_what_linters_and_generators_look_for() -> None:
    document = API.get("/openapi.json").json()
    assert document["servers"][0]["url"] == "/"
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
    for operations in document["paths"].values():
        assert all("security" in operation for operation in operations.values())
    arrays = [node for node in nodes(document["components"]["schemas"]) if node.get("type") == "array"]
    assert arrays
    assert all("items" in node for node in arrays)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def test_the_page_takes_every_file_from_this_service() -> None:
    page = API.get("/docs").text
    assert "//" not in re.sub(r"<!doctype[^>]*>", "", page)
    files = re.findall(r'(?:href|src)="([^"]+)"|url: "([^"]+)"', page)
    assert len(files) == 4
    for link, url in files:
        assert API.get(f"/{link or url}").status_code == 200


def test_no_other_file_is_given_away() -> None:
    assert API.get("/docs/index.html").status_code == 404
    assert API.get("/docs/..%2f__init__.py").status_code == 404


def test_the_document_names_no_library() -> None:
    said = json.dumps(API.get("/openapi.json").json()).lower()
    assert not [name for name in ("pydantic", "fastapi", "starlette", "uvicorn", "sklearn") if name in said]


def test_the_version_is_the_projects() -> None:
    assert importlib.metadata.version("credit-default-decisions") == __version__
