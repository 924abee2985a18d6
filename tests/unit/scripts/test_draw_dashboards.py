"""Every panel of every dashboard is drawn, from what a Prometheus says."""

import json
from pathlib import Path

import httpx
import pytest

from scripts.draw_dashboards import DASHBOARDS, Source, draw, filled, panels, written


def answering(empty: bool) -> tuple[Source, list[str]]:
    """A Prometheus whose every series has two points, or that has none; and the queries that it got."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["query"])
        of_time = request.url.path.endswith("query_range")
        values = {"values": [[1000, "1"], [1060, "2"]]} if of_time else {"value": [1060, "2"]}
        labels = [{"le": "0.5", "feature": "age", "pod": "a"}, {"le": "+Inf", "feature": "income", "pod": "b"}]
        found = [] if empty else [{"metric": it, **values} for it in labels]
        return httpx.Response(200, json={"data": {"result": found}})

    client = httpx.Client(base_url="http://prometheus", transport=httpx.MockTransport(answer))
    return Source(client, 1060.0, 30), asked


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_query_of_a_dashboard_is_asked_and_drawn(path: Path, empty: bool) -> None:
    dashboard = json.loads(path.read_text())
    source, asked = answering(empty)
    assert draw(dashboard, source).startswith(b"\x89PNG")
    wanted = {filled(target["expr"]) for panel in panels(dashboard) for target in panel.get("targets", [])}
    assert wanted - {*asked} == set()
    assert not any("$" in query for query in asked)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.123, "percentunit", "12.3 %"),
        (0.0042, "s", "4.2 ms"),
        (3.0, "s", "3 s"),
        (600.0, "s", "10 min"),
        (12.5, "reqps", "12.5/s"),
        (7.0, "short", "7"),
        (198_500.4, "short", "198,500"),
        (float("nan"), "short", "-"),
    ],
)
def test_a_value_is_written_in_its_unit(value: float, unit: str, text: str) -> None:
    assert written(value, unit) == text
