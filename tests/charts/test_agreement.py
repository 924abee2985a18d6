"""What one chart makes is what another expects, and what kind-config.yaml and k8s/kind say."""

import base64
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.charts.conftest import CHARTS, ROOT, Object, one, refusal, render, render_anew

KIND = sorted((ROOT / "k8s" / "kind").glob("*.yaml"))
BATCH = {"batch": {"enabled": True, "input": "s3://datasets/*.csv", "output": "s3://datasets/decisions"}}
SERVICES = {
    "api": {"http": 8000},
    "minio": {"s3": 9000, "console": 9001},
    "mlflow": {"http": 5000},
    "postgres": {"postgres": 5432},
}


def secret_of(chart: str) -> dict[str, str]:
    return decoded(one(render(chart), "Secret", chart)["data"])


def decoded(data: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def container(objects: list[Object], kind: str) -> Object:
    found: Object = one(objects, kind)["spec"]["template"]["spec"]["containers"][0]
    return found


def environment(container: Object) -> dict[str, Any]:
    return {variable["name"]: variable.get("value", variable.get("valueFrom")) for variable in container["env"]}


@pytest.mark.parametrize("chart", SERVICES)
def test_a_service_has_the_name_and_ports_that_others_know(chart: str) -> None:
    service = one(render(chart), "Service", chart)
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == SERVICES[chart]


@pytest.mark.parametrize("chart", SERVICES)
def test_a_service_leads_to_ports_that_the_server_has(chart: str) -> None:
    objects = render(chart)
    server = next(o for o in objects if o["kind"] in {"Deployment", "StatefulSet"})
    open_ports = {p["name"] for c in server["spec"]["template"]["spec"]["containers"] for p in c.get("ports", [])}
    wanted = {port["targetPort"] for port in one(objects, "Service", chart)["spec"]["ports"]}
    assert wanted <= open_ports


def test_mlflow_takes_its_database_from_the_secret_that_postgres_makes() -> None:
    reference = environment(container(render("mlflow"), "Deployment"))["MLFLOW_BACKEND_STORE_URI"]["secretKeyRef"]
    assert reference["name"] == "postgres"
    secret = secret_of("postgres")
    address = f"postgresql+psycopg2://mlflow:{secret['mlflow-password']}@postgres:5432/mlflow"
    assert secret[reference["key"]] == address


def test_mlflow_takes_its_keys_from_the_secret_that_minio_makes() -> None:
    given = environment(container(render("mlflow"), "Deployment"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert given[name]["secretKeyRef"]["name"] == "minio"
        assert given[name]["secretKeyRef"]["key"] in secret_of("minio")
    assert given["MLFLOW_S3_ENDPOINT_URL"] == "http://minio:9000"


def test_training_takes_its_keys_from_the_secret_that_minio_makes() -> None:
    s3 = yaml.safe_load((CHARTS / "api" / "values.yaml").read_text())["training"]["s3"]
    assert s3["existingSecret"] == "minio"
    assert {s3["accessKeyKey"], s3["secretKeyKey"]} <= secret_of("minio").keys()
    assert s3["endpointUrl"] == "http://minio:9000"


def test_mlflow_keeps_its_files_in_a_bucket_that_minio_makes() -> None:
    buckets = yaml.safe_load((CHARTS / "minio" / "values.yaml").read_text())["buckets"]
    destination = yaml.safe_load((CHARTS / "mlflow" / "values.yaml").read_text())["artifacts"]["destination"]
    data = yaml.safe_load((CHARTS / "api" / "values.yaml").read_text())["training"]["data"]
    assert {address.split("/")[2] for address in (destination, data)} == set(buckets) == {"mlflow", "datasets"}


def test_mlflow_answers_every_name_of_its_service_and_its_own_address() -> None:
    hosts = environment(container(render("mlflow"), "Deployment"))["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    names = ["mlflow", "mlflow.credit", "mlflow.credit.svc", "mlflow.credit.svc.cluster.local"]
    assert {f"{name}:*" for name in [*names, "localhost", "127.0.0.1"]} <= set(hosts)
    assert "$(POD_IP):5000" in hosts
    assert "*" not in hosts


def test_whoever_reads_models_goes_through_mlflow_and_not_round_it() -> None:
    objects = render("api")
    training = one(objects, "CronJob", "api-training")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][
        0
    ]
    test = one(render("mlflow"), "Pod")["spec"]["containers"][0]
    for client in (container(objects, "Deployment"), training, test):
        assert environment(client)["MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD"] == "false"


def labels_of(chart: str, kind: str, name: str | None = None, values: dict[str, Any] | None = None) -> dict[str, str]:
    thing = one(render(chart, values), kind, name)
    spec = thing["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else thing["spec"]
    labels: dict[str, str] = spec["template"]["metadata"]["labels"]
    return labels


def admits(chart: str, port: str, labels: dict[str, str]) -> bool:
    """Whether the chart's policy lets a pod of the same namespace with these labels in."""
    for rule in one(render(chart), "NetworkPolicy", chart)["spec"]["ingress"]:
        if port in {p["port"] for p in rule["ports"]}:
            for peer in rule["from"]:
                selector = peer.get("podSelector", {})
                expressions = selector.get("matchExpressions", [])
                matches = selector.get("matchLabels", {}).items() <= labels.items() and all(
                    labels.get(e["key"]) in e["values"] for e in expressions
                )
                if matches and "namespaceSelector" not in peer and "ipBlock" not in peer:
                    return True
    return False


def test_each_server_admits_those_who_need_it_and_no_other_pod() -> None:
    api, training = labels_of("api", "Deployment"), labels_of("api", "CronJob", "api-training")
    retention = labels_of("api", "CronJob", "api-retention")
    mlflow, minio, postgres = (
        labels_of("mlflow", "Deployment"),
        labels_of("minio", "StatefulSet"),
        labels_of("postgres", "StatefulSet"),
    )
    batch = labels_of("api", "Job", values=BATCH)
    stranger = {"app.kubernetes.io/name": "stranger"}
    who = {
        "api": api,
        "training": training,
        "retention": retention,
        "batch": batch,
        "mlflow": mlflow,
        "minio": minio,
        "postgres": postgres,
        "a": stranger,
    }
    admitted = {
        chart: {name for name, labels in who.items() if admits(chart, port, labels)}
        for chart, port in {"postgres": "postgres", "minio": "s3", "mlflow": "http"}.items()
    }
    assert admitted["minio"] == {"mlflow", "training", "batch"}
    # Both let the API's jobs in by the name that they share; where a job goes is said by its own policy.
    assert admitted["mlflow"] == {"api", "training", "retention", "batch"}
    assert admitted["postgres"] == {"mlflow", "api", "training", "retention", "batch"}


@pytest.mark.parametrize("path", [path for path in KIND if path.stem in SERVICES], ids=lambda path: path.stem)
def test_the_values_for_kind_fit_their_chart(path: Path) -> None:
    objects = render(path.stem, yaml.safe_load(path.read_text()))
    assert one(objects, "Service", path.stem)


def node_ports(chart: str) -> dict[int, int]:
    values = yaml.safe_load((ROOT / "k8s" / "kind" / f"{chart}.yaml").read_text())
    services = [o for o in render(chart, values) if o["kind"] == "Service" and o["spec"]["type"] == "NodePort"]
    return {port["nodePort"]: port["port"] for service in services for port in service["spec"]["ports"]}


def test_kind_gives_localhost_the_ports_of_the_services() -> None:
    config = yaml.safe_load((ROOT / "kind-config.yaml").read_text())
    mapped = {m["containerPort"]: m["hostPort"] for node in config["nodes"] for m in node.get("extraPortMappings", [])}
    for chart in ("api", "mlflow", "minio"):
        ports = node_ports(chart)
        assert ports
        assert ports.items() <= mapped.items(), chart


@pytest.mark.parametrize(
    ("chart", "values", "reason"),
    [
        ("mlflow", {"database": {"existingSecret": ""}}, "charts/postgres makes one"),
        ("mlflow", {"artifacts": {"existingSecret": ""}}, "charts/minio makes one"),
        ("mlflow", {"service": {"nodePort": 30500}}, "no effect while service.type is ClusterIP"),
        ("mlflow", {"service": {"type": "NodePort"}}, "no pod selector lets in"),
        ("minio", {"console": {"nodePort": 30901}}, "no pod selector lets in"),
        ("minio", {"console": {"nodePort": 80}}, "nodePort"),
        ("postgres", {"databases": ["postgres"]}, "databases"),
        ("postgres", {"databases": ["a; DROP TABLE b"]}, "databases"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(chart: str, values: dict[str, Any], reason: str) -> None:
    assert reason in refusal(chart, values)


@pytest.mark.parametrize("chart", ["postgres", "minio"])
def test_passwords_are_random_and_kept(chart: str) -> None:
    annotations = one(render(chart), "Secret")["metadata"]["annotations"]
    assert annotations["helm.sh/resource-policy"] == "keep"
    first = secret_of(chart)
    second = decoded(one(render_anew(chart), "Secret")["data"])
    passwords = [key for key in first if key.endswith(("password", "secret-key"))]
    assert len({first[key] for key in passwords}) == len(passwords) >= 2
    for key in passwords:
        assert len(first[key]) >= 32
        assert first[key] != second[key]


@pytest.mark.parametrize("chart", ["postgres", "minio"])
def test_an_existing_secret_takes_the_place_of_ours(chart: str) -> None:
    objects = render(chart, {"auth": {"existingSecret": "mine"}})
    assert [o for o in objects if o["kind"] == "Secret"] == []
    volumes = [v for o in objects if o["kind"] == "StatefulSet" for v in o["spec"]["template"]["spec"]["volumes"]]
    assert [v["secret"]["secretName"] for v in volumes if "secret" in v] == ["mine"]


@pytest.mark.parametrize("chart", ["postgres", "minio"])
def test_the_data_stays_when_the_release_goes(chart: str) -> None:
    spec = one(render(chart), "StatefulSet")["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]] == ["data"]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Store:
    """Buckets, users and policies in memory: the two clients that setup.py talks to, in one."""

    def __init__(self) -> None:
        self.buckets: list[str] = []
        self.locked: dict[str, Any] = {}
        self.users: dict[str, str] = {}
        self.policies: dict[str, Any] = {}
        self.granted: dict[str, str] = {}

    def bucket_exists(self, bucket_name: str) -> bool:
        return bucket_name in self.buckets

    def make_bucket(self, bucket_name: str, object_lock: bool) -> None:
        assert bucket_name not in self.buckets
        self.buckets.append(bucket_name)
        if object_lock:
            self.locked[bucket_name] = None

    def set_object_lock_config(self, bucket_name: str, config: Any) -> None:
        assert bucket_name in self.locked
        self.locked[bucket_name] = config.mode, config.duration

    def policy_add(self, name: str, policy: Any) -> None:
        self.policies[name] = policy

    def user_add(self, user: str, password: str) -> None:
        self.users[user] = password

    def policy_set(self, name: str, user: str) -> None:
        self.granted[user] = name


def test_the_setup_of_minio_may_run_again_and_takes_a_new_password() -> None:
    setup, store = load(CHARTS / "minio" / "files" / "setup.py"), Store()
    setup.make(store, store, ["mlflow"], [], 800, "mlflow", "old")
    setup.make(store, store, ["mlflow", "datasets"], ["checkpoints"], 800, "mlflow", "new")
    assert store.buckets == ["mlflow", "datasets", "checkpoints"]
    assert store.locked == {"checkpoints": ("COMPLIANCE", 800)}
    assert store.users == {"mlflow": "new"}
    granted = store.policies[store.granted["mlflow"]]
    resources = {resource for statement in granted["Statement"] for resource in statement["Resource"]}
    buckets = ("mlflow", "datasets", "checkpoints")
    assert resources == {f"arn:aws:s3:::{name}{objects}" for name in buckets for objects in ("", "/*")}
    deletable = [it["Resource"] for it in granted["Statement"] if "s3:DeleteObject" in it["Action"]]
    assert deletable == [["arn:aws:s3:::mlflow/*", "arn:aws:s3:::datasets/*"]]


def test_the_setup_of_minio_gives_up_with_the_last_answer() -> None:
    setup = load(CHARTS / "minio" / "files" / "setup.py")
    from urllib3.exceptions import HTTPError

    class Silent:
        def list_buckets(self) -> None:
            raise HTTPError("connection refused")

    with pytest.raises(SystemExit, match=r"no answer from MinIO in 0 s; the last one: connection refused"):
        setup.wait_for(Silent(), timeout_seconds=0, pause_seconds=0)


def test_mlflow_gives_up_on_its_database_with_the_last_answer() -> None:
    prepare = load(CHARTS / "mlflow" / "files" / "prepare_database.py")
    nobody = prepare.engine_of("postgresql+psycopg2://mlflow:secret@127.0.0.1:1/mlflow")
    with pytest.raises(SystemExit, match="no database in 0 s; the last answer: .*refused") as gave_up:
        prepare.wait_for(nobody, timeout_seconds=0, pause_seconds=0)
    assert "secret" not in str(gave_up.value)


def test_mlflow_refuses_a_database_address_without_its_driver() -> None:
    prepare = load(CHARTS / "mlflow" / "files" / "prepare_database.py")
    with pytest.raises(SystemExit, match=r"postgresql\+psycopg2://"):
        prepare.engine_of("postgresql://mlflow@postgres/mlflow")
