"""What is led to from outside of the cluster is what the API's table of paths calls public."""

from typing import Any

import pytest
import yaml

from app.serving.http.paths import ENDPOINTS
from tests.charts.conftest import ROOT, one, render

FULL: dict[str, Any] = yaml.safe_load((ROOT / "charts" / "api" / "ci" / "full-values.yaml").read_text())


@pytest.mark.parametrize("keys", [True, False], ids=["keys", "open"])
def test_outside_are_the_paths_that_the_api_calls_public(keys: bool) -> None:
    without_console = {**FULL, "console": {"enabled": False}}
    objects = render("api", {**without_console, "callers": {**FULL["callers"], "enabled": keys}})
    outside = {path["path"] for path in one(objects, "Ingress")["spec"]["rules"][0]["http"]["paths"]}
    for endpoint in ENDPOINTS:
        led_to = any(endpoint.template == path or endpoint.template.startswith(f"{path}/") for path in outside)
        assert led_to == (endpoint.public and (keys or endpoint.scope in (None, "predict"))), endpoint.template
