"""The table of paths, and the routes that there are."""

import pytest
from fastapi.routing import APIRoute

from app.serving.http.paths import ENDPOINTS, PREDICT, UNKNOWN, endpoint_of
from tests.support.fakes import Api, constant_model

PATHS = [it.template for it in ENDPOINTS]


def test_every_route_that_is_documented_stands_in_the_table() -> None:
    assert set(Api().get("/openapi.json").json()["paths"]) <= set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_every_path_of_the_table_is_answered(path: str) -> None:
    filled = path.replace("{id}", "0197f6a5-0000-7000-8000-000000000000").replace(
        "{name}", "invalid" if path.startswith("/problems") else "swagger-ui.css"
    )
    assert "nothing at this path" not in Api(constant_model(0.3)).get(filled).text


def test_every_route_is_open_or_needs_a_scope_by_intention() -> None:
    routes = [route.path for route in Api().app.routes if isinstance(route, APIRoute)]
    needing = {path: endpoint_of(path).scope for path in routes if endpoint_of(path).scope is not None}
    assert needing == {
        "/predict": "predict",
        "/predict/batch": "predict",
        "/explain": "read",
        "/invocations": "predict",
        "/v2/models": "predict",
        "/v2/models/{path:path}": "predict",
        "/outcomes": "outcomes",
        "/decisions": "read",
        "/decisions/{id}": "read",
    }


@pytest.mark.parametrize("path", PATHS)
def test_a_template_and_its_paths_are_the_same_entry(path: str) -> None:
    assert endpoint_of(path).template == endpoint_of(path.replace("{id}", "1").replace("{name}", "x")).template == path


@pytest.mark.parametrize("path", ["", "/", "/predict/", "/predict\n", "/PREDICT", "/health\n", "/docsx", "/decision"])
def test_another_spelling_is_unknown_and_not_open(path: str) -> None:
    assert endpoint_of(path) is UNKNOWN
    assert UNKNOWN.scope == PREDICT.scope == "predict"
