"""examples/high-availability: the charts take an operator's Postgres and a cloud's S3 by the values that it shows."""

from typing import Any

import pytest
import yaml

from app.settings import ROOT
from tests.charts.conftest import Object, render
from tests.charts.test_shape import containers, pods
from tests.charts.test_trust import variables

FOLDER = ROOT / "examples" / "high-availability"
SECRETS = {"api": "records-credit", "mlflow": "records-mlflow"}
VARIABLES = {"api": "DATABASE_URI", "mlflow": "MLFLOW_BACKEND_STORE_URI"}


def values(chart: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{chart}.yaml").read_text())
    return found


def cluster() -> list[Object]:
    return list(yaml.safe_load_all((FOLDER / "cluster.yaml").read_text()))


@pytest.mark.parametrize("chart", SECRETS)
def test_every_address_of_the_database_is_the_operators_and_no_key_is_left(chart: str) -> None:
    addresses = []
    for pod in pods(chart, values(chart)):
        for container in containers(pod):
            given = variables(container)
            addresses += [given[VARIABLES[chart]]] if VARIABLES[chart] in given else []
            assert "AWS_ACCESS_KEY_ID" not in given
            # Empty is AWS itself.
            assert not given.get("MLFLOW_S3_ENDPOINT_URL")
    assert addresses
    assert all(it == {"secretKeyRef": {"name": SECRETS[chart], "key": "uri"}} for it in addresses)


@pytest.mark.parametrize("chart", SECRETS)
def test_pods_may_reach_the_operators_servers_and_the_clouds_store_alone(chart: str) -> None:
    reached = [
        (peer, port["port"])
        for policy in render(chart, values(chart))
        if policy["kind"] == "NetworkPolicy"
        for rule in policy["spec"].get("egress", [])
        for peer in rule.get("to", [])
        for port in rule.get("ports", [])
    ]
    assert ({"podSelector": {"matchLabels": {"cnpg.io/cluster": "records"}}}, 5432) in reached
    assert ({"ipBlock": {"cidr": "192.0.2.0/24"}}, 443) in reached
    labels = [peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/name") for peer, _ in reached]
    assert not {"postgres", "minio"} & {*labels}


def test_the_secrets_that_the_operator_is_named_are_those_that_the_charts_read() -> None:
    servers, database = cluster()
    spec = servers["spec"]
    assert spec["bootstrap"]["initdb"]["secret"]["name"] == SECRETS["api"]
    assert spec["managed"]["roles"][0]["passwordSecret"]["name"] == SECRETS["mlflow"]
    assert database["spec"]["cluster"]["name"] == servers["metadata"]["name"] == "records"
    readme = (FOLDER / "README.md").read_text()
    assert "@records-rw:5432/" in readme
