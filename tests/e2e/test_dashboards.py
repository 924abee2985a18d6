"""Every panel of every dashboard shows something once there has been traffic."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from app.registry.client import connect
from app.settings import MlflowSettings, Settings
from harness.registries import NAME, log_constant
from loadtests.payloads import Payload, bad, batch, single
from scripts.draw_dashboards import DASHBOARDS, filled, panels
from tests.e2e.cluster import Cluster
from tests.e2e.prometheus import Prometheus
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

UNHEARD_OF = Payload("/predict", json.dumps({"data": {"features": [0, 9e9, 500, 0, 9e9, 5400, 999, 0, 99, 0, 99]}}))
"""An applicant outside every range that a model was trained on."""


def queries(path: Path) -> list[tuple[str, str]]:
    """Title and query, as Prometheus would get it, of each target of each panel."""
    found = []
    for panel in panels(json.loads(path.read_text())):
        for target in panel.get("targets", []):
            query = filled(target["expr"])
            assert "$" not in query, f"{panel['title']} uses a variable that this test does not know: {query}"
            found.append((panel["title"], query))
    return found


def send_traffic(random: Random) -> None:
    """Decisions, enough for the drift of features to be worked out, refusals, and failures."""
    with httpx.Client(base_url="http://127.0.0.1:8000", timeout=30) as client:
        payloads = [single(random) for _ in range(20)] + [batch(random) for _ in range(10)] + [UNHEARD_OF, bad()[0]]
        for payload in payloads:
            headers = {"Content-Type": payload.content_type or ""}
            assert client.post(payload.path, content=payload.body, headers=headers).status_code == payload.status
        assert client.get("/boom").status_code == 500


@pytest.fixture(scope="module", autouse=True)
def _challenger(cluster: Cluster) -> Iterator[None]:
    """A model that challenges production's: panels show nothing of nobody."""
    with cluster.port_forward("service/mlflow", 5000) as address:
        settings = Settings(mlflow=MlflowSettings(tracking_uri=f"http://{address}"))
        version = log_constant(settings, 4)
        registry = connect(settings)
        registry.set_registered_model_alias(NAME, "challenger", version)
        yield
        registry.delete_registered_model_alias(NAME, "challenger")
        registry.delete_model_version(NAME, version)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_query_of_a_dashboard_finds_data(path: Path, prometheus: Prometheus) -> None:
    random = Random(8)

    def empty() -> list[tuple[str, str]]:
        send_traffic(random)
        return [(title, query) for title, query in queries(path) if not prometheus.values(query)]

    wait_until(empty, lambda found: not found, 180, f"every panel of {path.name} to show something")
