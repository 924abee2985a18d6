"""What a release keeps of the one before, as Helm sees it in the cluster: passwords, volumes, pods."""

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.charts.cluster import installed
from tests.charts.conftest import NAMESPACES, Object, chart_folder, objects_of, one, template_release
from tests.charts.test_agreement import decoded


def secret(name: str, **values: str) -> Object:
    data = {key.replace("_", "-"): base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def stateful_set(name: str, image: str, size: str, storage_class: str | None = None) -> Object:
    claim: dict[str, Any] = {"resources": {"requests": {"storage": size}}}
    claim |= {} if storage_class is None else {"storageClassName": storage_class}
    pod = {"spec": {"containers": [{"name": name, "image": image}]}}
    spec = {"template": pod, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}]}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": spec}


def refused(chart: str, values: dict[str, Any], folder: Path, *objects: Object) -> str:
    done = installed(chart, values, folder, objects)
    assert done.returncode != 0, done.stdout
    return done.stderr


@pytest.mark.parametrize(
    ("chart", "value", "keys"),
    [
        ("postgres", "auth.existingSecret", ["postgres-password", "mlflow-password", "mlflow-uri", "credit-uri"]),
        ("minio", "auth.existingSecret", ["root-user", "root-password", "access-key", "secret-key"]),
        ("monitoring", "grafanaAdmin.create", ["admin-user", "admin-password"]),
    ],
)
def test_without_a_cluster_passwords_are_made_only_when_they_are_asked_for(
    chart: str, value: str, keys: list[str], tmp_path: Path
) -> None:
    done = template_release(chart_folder(chart), chart, NAMESPACES.get(chart, "credit"), "{}")
    assert done.returncode != 0
    for word in (value, "generateOffline", *keys):
        assert word in done.stderr
    assert [o for o in objects_of(installed(chart, {}, tmp_path)) if o["kind"] == "Secret"]


@pytest.mark.parametrize("chart", ["postgres", "minio"])
def test_every_key_is_named_where_a_secret_of_your_own_takes_its_place(chart: str, tmp_path: Path) -> None:
    made = decoded(one(objects_of(installed(chart, {}, tmp_path)), "Secret")["data"])
    lines = (chart_folder(chart) / "values.yaml").read_text().splitlines()
    end = lines.index('  existingSecret: ""')
    told = " ".join(lines[lines.index("auth:", end - 9) : end])
    for key in made:
        assert key.replace("mlflow-", "NAME-").replace("credit-", "NAME-") in told, key


def test_passwords_that_a_cluster_keeps_stay(tmp_path: Path) -> None:
    kept = secret("postgres", postgres_password="a", mlflow_password="b", credit_password="c")
    made = decoded(one(objects_of(installed("postgres", {}, tmp_path, [kept])), "Secret")["data"])
    assert [made[key] for key in ("postgres-password", "mlflow-password", "credit-password")] == ["a", "b", "c"]
    assert decoded(one(objects_of(installed("postgres", {"auth": None}, tmp_path, [kept])), "Secret")["data"]) == made
    assert made["mlflow-uri"] == "postgresql+psycopg2://mlflow:b@postgres:5432/mlflow"


@pytest.mark.parametrize(
    ("chart", "values", "held", "missing"),
    [
        ("postgres", {"auth": {"existingSecret": "own"}}, {"postgres_password": "a"}, "mlflow-password"),
        ("minio", {"auth": {"existingSecret": "own"}}, {"root_user": "a"}, "root-password"),
        ("mlflow", {"database": {"existingSecret": "own"}}, {"mlflow_password": "a"}, "mlflow-uri"),
        ("mlflow", {"artifacts": {"existingSecret": "own"}}, {"access_key": "a"}, "secret-key"),
        ("api", {"audit": {"database": {"existingSecret": "own"}}}, {"credit_password": "a"}, "credit-uri"),
        ("api", {"training": {"s3": {"existingSecret": "own"}}}, {"access_key": "a"}, "secret-key"),
        ("api", {"callers": {"enabled": True, "existingSecret": "own"}}, {"other": "a"}, "callers.yaml"),
        ("api", {"mlflow": {"login": {"existingSecret": "own"}}}, {"username": "a"}, "password"),
        ("monitoring", {"grafanaAdmin": {"create": False}}, {"admin_user": "a"}, "admin-password"),
    ],
)
def test_a_secret_that_lacks_a_key_is_refused_before_pods_wait_for_it(
    chart: str, values: dict[str, Any], held: dict[str, str], missing: str, tmp_path: Path
) -> None:
    name = "monitoring-grafana-admin" if chart == "monitoring" else "own"
    assert f"Secret {name} has no key {missing}" in refused(chart, values, tmp_path, secret(name, **held))
    # One that is not there may still come, from an operator for one.
    assert objects_of(installed(chart, values, tmp_path))


@pytest.mark.parametrize(("chart", "size"), [("postgres", "8Gi"), ("minio", "20Gi")])
def test_another_size_of_the_volume_is_refused_with_what_to_do(chart: str, size: str, tmp_path: Path) -> None:
    running = stateful_set(chart, "postgres:17", size)
    message = refused(chart, {"persistence": {"size": "99Gi"}}, tmp_path, running)
    for step in (
        size,
        "99Gi",
        f"patch persistentvolumeclaim data-{chart}-0",
        f"delete statefulset {chart} --cascade=orphan",
    ):
        assert step in message
    assert "storageClass" in refused(chart, {"persistence": {"storageClass": "fast"}}, tmp_path, running)
    assert objects_of(installed(chart, {}, tmp_path, [running]))
    # Once the StatefulSet is gone, as the message says, the new size is taken.
    assert objects_of(installed(chart, {"persistence": {"size": "99Gi"}}, tmp_path))


@pytest.mark.parametrize("image", ["postgres:16", "registry.example.com:5000/library/postgres:16.4-bookworm@sha256:00"])
def test_another_major_version_of_postgres_is_refused_with_what_to_do(image: str, tmp_path: Path) -> None:
    message = refused("postgres", {}, tmp_path, stateful_set("postgres", image, "8Gi"))
    for word in ("16", "17", "pg_dumpall --no-role-passwords"):
        assert word in message


@pytest.mark.parametrize(
    "image", ["postgres:17.2", "registry.example.com:5000/postgres:17-alpine", "postgres@sha256:16"]
)
def test_the_same_major_version_and_one_that_nobody_can_read_are_taken(image: str, tmp_path: Path) -> None:
    assert objects_of(installed("postgres", {}, tmp_path, [stateful_set("postgres", image, "8Gi")]))


def deployment(running: int, *managers: Object) -> Object:
    about = {"name": "api", "managedFields": list(managers)}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": {"replicas": running}}


HELM = {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}


@pytest.mark.parametrize("running", [3, 1, 0])
def test_turning_the_autoscaler_on_takes_no_pod_away(running: int, tmp_path: Path) -> None:
    there = [deployment(running, HELM)]
    after = one(objects_of(installed("api", {}, tmp_path, there)), "Deployment")
    assert after["spec"]["replicas"] == running
    fixed = {"autoscaling": {"enabled": False}}
    assert one(objects_of(installed("api", fixed, tmp_path, there)), "Deployment")["spec"]["replicas"] == 2


def test_what_the_autoscaler_has_scaled_is_left_to_it(tmp_path: Path) -> None:
    autoscaler = {**HELM, "manager": "kube-controller-manager", "operation": "Update", "subresource": "scale"}
    after = one(objects_of(installed("api", {}, tmp_path, [deployment(4, HELM, autoscaler)])), "Deployment")
    assert "replicas" not in after["spec"]
