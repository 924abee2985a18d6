"""A decision is to be had on every way to the API."""

import subprocess

import httpx
import pytest

from app.settings import ROOT
from harness.waiting import PATIENCE_SECONDS
from tests.e2e.api import LOCAL, REQUEST, TIMEOUT_SECONDS, apart_from_id, decide
from tests.e2e.cluster import Cluster
from tests.e2e.pods import Inside
from tests.support.fakes import DATA

pytestmark = pytest.mark.e2e


def test_localhost_the_service_and_a_port_forward_give_the_same_decision(cluster: Cluster, visitor: Inside) -> None:
    local = apart_from_id(decide())
    with cluster.port_forward("service/api", 8000) as address:
        assert apart_from_id(decide(f"http://{address}")) == local
    for host in ("api", "api.credit.svc.cluster.local"):
        told = visitor.run("decide", f"http://{host}:8000", REQUEST)
        assert (told["status"], apart_from_id(told["answer"])) == (200, local)


def test_make_predict_shows_a_decision() -> None:
    command = ["make", "--no-print-directory", "predict", "IN=cluster"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"decision": "' in done.stdout


def test_an_applicant_by_name_gets_a_decision() -> None:
    assert decide(body=(DATA / "applicant.json").read_text())["decision"] in ("ACCEPT", "REJECT")


def test_a_bad_request_is_refused_with_the_place_of_the_mistake() -> None:
    answer = httpx.post(
        f"{LOCAL}/predict",
        json={"data": {"features": [0, 0.31, None, 0, 0.36, 5400, 8, 0, 1, 0, 1]}},
        timeout=PATIENCE_SECONDS,
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/data/features/2"


@pytest.mark.parametrize(
    ("port", "path"),
    [(8000, "/docs"), (5000, "/health"), (9001, "/"), (9090, "/-/ready")],
    ids=["api", "mlflow", "minio", "prometheus"],
)
def test_each_address_of_localhost_answers(port: int, path: str) -> None:
    assert httpx.get(f"http://127.0.0.1:{port}{path}", timeout=TIMEOUT_SECONDS).is_success
