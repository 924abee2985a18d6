"""MLflow asks for users: the API reads as one of them, a training registers as the same, nobody else may."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from secrets import token_hex

import pytest
import yaml

from app.settings import ROOT
from scripts.cluster_train import start_job
from tests.e2e.api import decide, meta
from tests.e2e.cluster import CONTEXT, CREDIT, Cluster, has_ended, helm, kubectl, released_values, shown, upgrade
from tests.e2e.load import Load
from tests.e2e.pods import Inside
from tests.e2e.prometheus import Prometheus
from tests.e2e.test_network_policies import assert_closed
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

RELEASES = ("mlflow", "api")
NAMES = ("mlflow-administrator", "mlflow-api")
SECTION = (ROOT / "docs" / "kubernetes.md").read_text().partition("\n## Who may use MLflow\n")[2].partition("\n## ")[0]
COMMANDS, VALUES = (re.findall(rf"```{kind}\n(.*?)```", SECTION, re.DOTALL)[0] for kind in ("bash", "yaml"))
"""What the documentation tells people to type, for the charts of mlflow and api in turn."""
CHANGES = dict(zip(RELEASES, ({key: value} for key, value in yaml.safe_load(VALUES).items()), strict=True))
IN_CONTEXT = f'kubectl() {{ command kubectl --context {CONTEXT} "$@"; }}'
API = Inside("deploy/api")
JOB_SECONDS = 600.0
SERVING_SECONDS = 60.0


def change_passwords() -> None:
    """Of both users, in their Secrets."""
    for name in NAMES:
        patch = {"stringData": {"password": token_hex()}}
        kubectl("--namespace", CREDIT, "patch", "secret", name, "--patch", json.dumps(patch))


@pytest.fixture(scope="module", autouse=True)
def asked(cluster: Cluster) -> Iterator[None]:
    """MLflow asks for as long as these tests run."""
    cluster.wait_settled()
    before = {release: released_values(release) for release in RELEASES}
    subprocess.run(["bash", "-euc", f"{IN_CONTEXT}\n{COMMANDS}"], check=True, capture_output=True)
    for release in RELEASES:
        upgrade(release, before[release], CHANGES[release])
    cluster.wait_settled()
    yield
    # First MLflow, or a new pod of the API's would ask without a login where one is wanted.
    for release in RELEASES:
        upgrade(release, before[release])
    cluster.wait_settled()
    kubectl("--namespace", CREDIT, "delete", *(f"secret/{name}" for name in NAMES))


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_passes_its_own_test(release: str) -> None:
    assert "Phase:          Succeeded" in helm("test", release, "--namespace", CREDIT, "--timeout", "3m").stdout


def test_the_api_reads_as_its_user_and_nobody_else_may() -> None:
    assert API.run("document")["has_document"]
    assert "set MLFLOW_TRACKING_USERNAME" in API.run("document", "anonymous")["refused"]


def test_a_training_registers_a_version_of_the_model_that_was_there(cluster: Cluster) -> None:
    before = meta().model_version
    job = start_job(cluster.api, "")
    ended = wait_until(
        lambda: cluster.batch.read_namespaced_job(job, CREDIT), has_ended, JOB_SECONDS, f"job {job} to end"
    )
    log = shown("--namespace", CREDIT, "logs", f"job/{job}")
    assert ended.status.succeeded == 1, log
    wait_until(meta, lambda it: it.model_version not in (None, before), SERVING_SECONDS, "the new version to serve")


def test_prometheus_scrapes_without_a_login_what_holds_no_model(prometheus: Prometheus, visitor: Inside) -> None:
    def scraped() -> set[tuple[str, str]]:
        targets = prometheus.ask("targets", state="active")["activeTargets"]
        return {(it["labels"]["service"], it["health"]) for it in targets if it["labels"]["job"] == "mlflow"}

    wait_until(scraped, lambda found: found == {("mlflow-metrics", "up")}, 180, "MLflow to be scraped")
    assert_closed(visitor, "mlflow-metrics:5001")


def test_other_passwords_in_the_secrets_are_the_users_after_an_upgrade(
    cluster: Cluster, under_load: Callable[[], AbstractContextManager[Load]], note: Callable[[str], None]
) -> None:
    (old,) = kubectl(
        "--namespace", CREDIT, "exec", API.name, "--", "printenv", "MLFLOW_TRACKING_PASSWORD"
    ).stdout.split()
    with under_load() as load:
        change_passwords()
        for release in RELEASES:
            upgrade(release, released_values(release))
        cluster.wait_settled()
    assert load.failed == []
    note(f"passwords changed under load: {load}")
    assert "refuses these credentials" in API.run("document", old)["refused"]
    assert API.run("document")["has_document"]
    assert decide()["decision"] in ("ACCEPT", "REJECT")
