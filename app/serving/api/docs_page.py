"""The OpenAPI document, and /docs that shows it with files of this process only."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from app import __version__
from app.serving.api.inputs import RequestTypes
from app.serving.api.openapi import add_keys
from app.serving.api.outcome_types import OutcomesRequest
from app.serving.api.schema import Problem
from app.serving.http.problems import OVERLOADED, TYPES

TITLE = "Credit-default decisions"
DESCRIPTION = (
    "ACCEPT or REJECT for an applicant, from the probability of a default within two years. Numbers are strict: no"
    " text, no booleans, nothing that is not finite; `null` only where /meta says nullable. Every answer carries"
    " `X-Request-ID`, the caller's own when it is 1 to 128 letters, digits, dots, dashes or underscores. Every error"
    " is a problem of RFC 9457; 404 and 405 too."
)
TAGS = [
    {"name": "decisions", "description": "What the service is for."},
    {"name": "model", "description": "What decides."},
    {"name": "operation", "description": "For probes, monitoring and alerts."},
]
LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
SERVERS = [{"url": "/", "description": "The service that this document comes from."}]
REF = "#/components/schemas/{model}"

ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{TITLE}</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({{url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true}})</script>
</body>
</html>
"""


def document_of(app: FastAPI, types: RequestTypes) -> Callable[[], dict[str, Any]]:
    """Makes the OpenAPI document of the app, once.

    The bodies that routes read as bytes, the problems and the API keys are not known to FastAPI: they are added here.
    """
    made: dict[str, Any] = {}

    def document() -> dict[str, Any]:
        if not made:
            about: dict[str, Any] = {"title": TITLE, "version": __version__, "description": DESCRIPTION, "tags": TAGS}
            made.update(get_openapi(**about, servers=SERVERS, license_info=LICENSE, routes=app.routes))
            made["components"]["schemas"].update(_schemas(types))
            add_keys(made)
        return made

    return document


def _schemas(types: RequestTypes) -> dict[str, Any]:
    described: list[Any] = [types.predict, types.batch, OutcomesRequest, Problem]
    inputs = [(type_.__name__, "validation", TypeAdapter(type_)) for type_ in described]
    references, definitions = TypeAdapter.json_schemas(inputs, ref_template=REF)  # type: ignore[arg-type]
    named = {name: schema for (name, _), schema in references.items() if "$ref" not in schema}
    schemas: dict[str, Any] = {**named, **definitions.get("$defs", {})}
    _say_items(schemas)
    _part(schemas)
    return schemas


def _part(schemas: dict[str, Any]) -> None:
    """One schema for each way to name an applicant, because generators of clients take what is required of one alone
    for no type at all."""
    told = schemas.pop("PredictData")
    for title, name in (("ApplicantByPosition", "features"), ("ApplicantByName", "applicant")):
        schemas[title] = {
            "title": title,
            "description": f"An applicant by {name}.",
            "type": "object",
            "additionalProperties": False,
            "required": [name],
            "properties": {name: told["properties"][name]},
        }
    data = schemas["PredictRequest"]["properties"]["data"]
    del data["$ref"]
    data["oneOf"] = [{"$ref": REF.format(model=it)} for it in ("ApplicantByPosition", "ApplicantByName")]


def _say_items(node: Any) -> None:
    """Give an array of given places the `items` that linters and generators look for; maxItems leaves it none."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _say_items(child)
    if isinstance(node, dict) and "prefixItems" in node:
        kinds = [kind for place in node["prefixItems"] for kind in _kinds(place)]
        node.setdefault("items", {"anyOf": [{"type": kind} for kind in dict.fromkeys(kinds)]})


def _kinds(place: dict[str, Any]) -> list[str]:
    """The types of JSON that a place may hold."""
    if "anyOf" in place:
        return [kind for part in place["anyOf"] for kind in _kinds(part)]
    # Of a category the values are listed.
    return [place.get("type", "string")]


@cache
def asset_of(name: str) -> bytes:
    """A file of the page, which all that are sent it share."""
    return (Path(__file__).with_name("swagger_ui") / name).read_bytes()


@cache
def problem_page_of(name: str) -> str:
    """What a kind of problem means and what to do, in Markdown."""
    return (Path(__file__).with_name("problem_pages") / f"{name}.md").read_text()


def docs_router() -> APIRouter:
    """GET /docs with the files of its page, and the pages of problems."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def page() -> Response:
        return HTMLResponse(PAGE)

    @router.get("/docs/{name}")
    def asset(name: str) -> Response:
        if name not in ASSETS:
            raise HTTPException(404)
        return Response(asset_of(name), media_type=ASSETS[name])

    @router.get("/problems/{name}")
    def problem_page(name: str) -> Response:
        if name not in (*TYPES.values(), OVERLOADED):
            raise HTTPException(404)
        # As plain text, because browsers keep Markdown as a file.
        return PlainTextResponse(problem_page_of(name))

    return router
