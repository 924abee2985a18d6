"""The job of charts/api that decides on files."""

from typing import Any

import pytest

from app.cli.batch import share_of_text
from tests.charts.conftest import Object, one, refusal, render

BATCH = {"enabled": True, "input": "s3://datasets/2026/*.csv", "output": "s3://datasets/decisions", "parallelism": 3}


def job(**changes: Any) -> Object:
    return one(render("api", {"batch": BATCH | changes}), "Job")


def container(owner: Object) -> Object:
    found: Object = owner["spec"]["template"]["spec"]["containers"][0]
    return found


def test_there_is_no_job_until_it_is_asked_for() -> None:
    assert not [it for it in render("api") if it["kind"] == "Job" or it["metadata"]["name"] == "api-batch"]


def test_each_pod_takes_its_own_share_of_the_files() -> None:
    spec = job()["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    (given,) = [it.removeprefix("--share=") for it in container(job())["args"] if it.startswith("--share=")]
    # The cluster puts the variable's value there.
    shares = [share_of_text(given.replace("$(JOB_COMPLETION_INDEX)", str(at))) for at in range(3)]
    assert shares == [(0, 3), (1, 3), (2, 3)]
    index = next(it for it in container(job())["env"] if it["name"] == "JOB_COMPLETION_INDEX")
    assert "job-completion-index" in index["valueFrom"]["fieldRef"]["fieldPath"]


def test_the_values_become_the_commands_options() -> None:
    options = {"reasons": True, "modelUri": "models:/m/3", "idColumn": "customer"}
    assert {"--reasons", "--model=models:/m/3", "--id=customer"} <= set(container(job(**options))["args"])
    assert container(job())["command"] == ["credit", "batch"]
    assert len(container(job())["args"]) == 3


def test_image_keys_and_s3_server_are_those_of_training() -> None:
    training = one(render("api"), "CronJob", "api-training")["spec"]["jobTemplate"]["spec"]["template"]["spec"][
        "containers"
    ][0]
    assert container(job())["image"] == training["image"]

    def named(owner: Object) -> dict[str, Any]:
        return {it["name"]: it.get("value", it.get("valueFrom")) for it in owner["env"]}

    shared = named(training).keys() - {"DATA"}
    assert {name: named(container(job()))[name] for name in shared} == {name: named(training)[name] for name in shared}


def test_a_change_makes_another_job_because_none_can_be_changed() -> None:
    assert job()["metadata"]["name"] == job()["metadata"]["name"]
    assert job()["metadata"]["name"] != job(reasons=True)["metadata"]["name"]


def test_a_drained_node_costs_no_attempt_and_a_bad_file_stops_no_other_pod() -> None:
    spec = job()["spec"]
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onPodConditions"]) == ("Ignore", [{"type": "DisruptionTarget"}])
    assert (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"]) == (1, 3)


def test_the_pods_spread_over_the_nodes_and_are_none_of_the_service() -> None:
    objects = render("api", {"batch": BATCH})
    template = one(objects, "Job")["spec"]["template"]
    (spread,) = template["spec"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert not one(objects, "Service")["spec"]["selector"].items() <= template["metadata"]["labels"].items()


def test_the_job_reaches_names_mlflow_and_s3_and_is_reached_by_nobody() -> None:
    objects = render("api", {"batch": BATCH})
    policy = one(objects, "NetworkPolicy", "api-batch")
    labels = one(objects, "Job")["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"]] == [[53, 53], [5000], [9000]]
    assert policy["spec"]["ingress"] == []


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"batch": BATCH | {"input": "/data/*.csv"}}, "needs batch.input as an s3:// address"),
        ({"batch": BATCH | {"output": ""}}, "needs batch.output as an s3:// address"),
        ({"batch": BATCH | {"parallelism": 0}}, "parallelism"),
        ({"batch": BATCH | {"modelUri": "credit"}}, "modelUri"),
        ({"batch": BATCH, "training": {"data": "", "s3": {"existingSecret": ""}}}, "needs training.s3.existingSecret"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(values: dict[str, Any], reason: str) -> None:
    assert reason in refusal("api", values)
