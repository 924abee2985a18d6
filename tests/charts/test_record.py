"""How charts/api keeps the record of decisions, deletes what is old, and knows its callers."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import settings as module
from app.audit.signing import is_signed, signer_of
from app.serving.run import GRACE_SECONDS
from app.settings import AuditSettings, load_settings
from tests.charts.conftest import ROOT, Object, helm, one, refusal, render, render_anew

FULL = yaml.safe_load((ROOT / "charts" / "api" / "ci" / "full-values.yaml").read_text())
CALLERS = {"callers": {"enabled": True, "existingSecret": "callers"}}
WITHOUT = {"audit": {"enabled": False}}


def pod_of(owner: Object) -> dict[str, Any]:
    spec: dict[str, Any] = owner["spec"]
    return dict(
        spec["jobTemplate"]["spec"]["template"]["spec"] if owner["kind"] == "CronJob" else spec["template"]["spec"]
    )


def api_pod(values: dict[str, Any] | None = None) -> dict[str, Any]:
    return pod_of(one(render("api", values), "Deployment"))


def environment(pod: dict[str, Any]) -> dict[str, Any]:
    variables = pod["containers"][0]["env"]
    assert len({variable["name"] for variable in variables}) == len(variables)
    return {variable["name"]: variable.get("value", variable.get("valueFrom")) for variable in variables}


def mounted_at(pod: dict[str, Any], path: str) -> dict[str, Any] | None:
    """The volume whose mount the path lies in, the deepest of them."""
    mounts = [it for it in pod["containers"][0]["volumeMounts"] if f"{path}/".startswith(f"{it['mountPath']}/")]
    if not mounts:
        return None
    mount = max(mounts, key=lambda it: len(it["mountPath"]))
    assert "subPath" not in mount
    (volume,) = [it for it in pod["volumes"] if it["name"] == mount["name"]]
    return {"readOnly": mount.get("readOnly", False), **volume}


@pytest.mark.parametrize("values", [{}, FULL, WITHOUT, CALLERS], ids=["default", "full", "without", "callers"])
def test_the_variables_in_the_pods_are_settings_that_the_api_accepts(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = render("api", values)
    config = next(o for o in objects if o["kind"] == "ConfigMap" and o["metadata"]["name"].endswith("-config"))
    (tmp_path / "config.yaml").write_text(config["data"]["config.yaml"])
    monkeypatch.setattr(module, "CONFIG_FILE", tmp_path / "config.yaml")
    server = one([o for o in objects if not o["metadata"]["name"].endswith("-console")], "Deployment")
    for name, value in environment(pod_of(server)).items():
        monkeypatch.setenv(name, value if isinstance(value, str) else "postgresql+psycopg2://credit:x@postgres/credit")
    loaded = load_settings()
    asked = values.get("audit", {})
    assert loaded.audit.enabled is asked.get("enabled", True)
    assert loaded.audit.on_failure == asked.get("onFailure", "refuse")
    assert (loaded.callers.file is not None) is values.get("callers", {}).get("enabled", False)


def test_the_databases_address_comes_from_the_secret_that_the_postgres_chart_makes() -> None:
    data = one(render("postgres"), "Secret", "postgres")["data"]
    for owner in (("Deployment", "api"), ("CronJob", "api-retention")):
        reference = environment(pod_of(one(render("api"), *owner)))["DATABASE_URI"]["secretKeyRef"]
        address = base64.b64decode(data[reference["key"]]).decode()
        assert (reference["name"], address.rpartition("@")[2]) == ("postgres", "postgres:5432/credit")
        assert address.startswith("postgresql+psycopg2://credit:")


@pytest.mark.parametrize("owner", [("Deployment", "api"), ("CronJob", "api-retention")])
@pytest.mark.parametrize("named", ["", "keys"])
def test_what_signs_the_record_has_its_key_from_a_secret(owner: tuple[str, str], named: str) -> None:
    objects = render("api", {"signing": {"existingSecret": named, "key": "record.pem"}})
    pod = pod_of(one(objects, *owner))
    folder, _, name = environment(pod)["AUDIT__SIGNING_KEY_FILE"].rpartition("/")
    volume = mounted_at(pod, folder)
    assert volume is not None
    assert (volume["readOnly"], name) == (True, "record.pem")
    assert volume["secret"]["secretName"] == (named or "api-signing")
    assert volume["secret"]["items"] == [{"key": name, "path": name}]


def test_the_key_that_the_chart_makes_is_one_that_the_record_signs_with(tmp_path: Path) -> None:
    secret = one(render("api"), "Secret", "api-signing")
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    key = tmp_path / "signing.key"
    key.write_bytes(base64.b64decode(secret["data"]["signing.key"]))
    signer = signer_of(AuditSettings(signing_key_file=key))
    assert is_signed("a statement", signer.sign("a statement"))
    assert one(render_anew("api"), "Secret", "api-signing")["data"] != secret["data"]


def test_no_key_is_made_up_where_no_cluster_would_keep_it() -> None:
    done = helm("template", "api", str(ROOT / "charts" / "api"), "--kube-version", "1.34.0")
    assert done.returncode != 0
    assert "signing.existingSecret" in done.stderr
    assert "Secret" not in {it["kind"] for it in render("api", {"signing": {"existingSecret": "keys"}})}


def test_the_journal_outlives_the_container_on_a_volume_of_its_own() -> None:
    pod = api_pod()
    volume = mounted_at(pod, environment(pod)["AUDIT__JOURNAL_DIR"])
    assert volume == {"readOnly": False, "name": "journal", "emptyDir": {"sizeLimit": "1Gi"}}


def test_the_journal_can_lie_on_a_claim_that_outlives_the_pod() -> None:
    pod = api_pod({"audit": {"journal": {"existingClaim": "journals"}}})
    volume = mounted_at(pod, environment(pod)["AUDIT__JOURNAL_DIR"])
    assert volume is not None
    assert volume["persistentVolumeClaim"] == {"claimName": "journals"}


def test_a_pod_that_ends_has_time_for_everything_that_a_stop_takes() -> None:
    pod = api_pod()
    config = yaml.safe_load(one(render("api"), "ConfigMap", "api-config")["data"]["config.yaml"])
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    shipping = 10
    needed = before + config["serving"]["drain_seconds"] + GRACE_SECONDS + shipping
    assert needed + 10 <= pod["terminationGracePeriodSeconds"]


def test_without_the_record_nothing_of_it_is_there() -> None:
    objects = render("api", WITHOUT)
    pod = pod_of(one(objects, "Deployment"))
    assert {name for name in environment(pod) if name.startswith(("AUDIT", "DATABASE"))} == {"AUDIT__ENABLED"}
    assert "journal" not in {volume["name"] for volume in pod["volumes"]}
    assert not [o for o in objects if o["metadata"]["name"] == "api-retention"]
    ports = [port["port"] for rule in one(objects, "NetworkPolicy", "api")["spec"]["egress"] for port in rule["ports"]]
    assert 5432 not in ports


def test_the_retention_job_runs_the_command_for_as_many_months_as_are_asked_for() -> None:
    job = one(render("api", FULL), "CronJob", "decisions-retention")["spec"]
    container = job["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["credit", "audit", "retain"]
    assert environment(job["jobTemplate"]["spec"]["template"]["spec"])["AUDIT__RETENTION_MONTHS"] == "36"
    assert (job["schedule"], job["concurrencyPolicy"]) == ("15 1 1 * *", "Forbid")


def test_the_retention_job_reaches_names_and_the_database_and_is_reached_by_nobody() -> None:
    spec = one(render("api"), "NetworkPolicy", "api-retention")["spec"]
    assert [[port["port"] for port in rule["ports"]] for rule in spec["egress"]] == [[53, 53], [5432]]
    assert spec["ingress"] == []
    assert (
        one(render("api"), "Service")["spec"]["selector"]
        .items()
        .isdisjoint({"app.kubernetes.io/component": "retention"}.items())
    )


def test_the_retention_job_can_be_left_out() -> None:
    objects = render("api", {"audit": {"retention": {"enabled": False}}})
    assert not [o for o in objects if o["metadata"]["name"] == "api-retention"]


def test_callers_are_off_until_they_are_asked_for() -> None:
    pod = api_pod()
    assert "CALLERS__FILE" not in environment(pod)
    assert "callers" not in {volume["name"] for volume in pod["volumes"]}


def test_the_callers_file_is_mounted_so_that_a_change_of_the_secret_reaches_it() -> None:
    pod = api_pod(CALLERS)
    folder, _, name = environment(pod)["CALLERS__FILE"].rpartition("/")
    volume = mounted_at(pod, folder)
    assert volume is not None
    assert volume["readOnly"]
    # Read by the pod's group, and by nobody else.
    items = [{"key": name, "path": name}]
    assert volume["secret"] == {"secretName": "callers", "defaultMode": 0o440, "items": items}


def test_the_record_is_read_from_outside_only_where_it_takes_a_key() -> None:
    def outside(values: dict[str, Any]) -> set[str]:
        rule = one(render("api", values), "Ingress")["spec"]["rules"][0]
        return {path["path"] for path in rule["http"]["paths"]}

    assert "/decisions" in outside(FULL)
    assert "/decisions" not in outside(FULL | {"callers": {"enabled": False}, "console": {"enabled": False}})


@pytest.mark.parametrize(("values", "wanted"), [({}, "false"), (CALLERS, "true")])
def test_the_test_pod_knows_whether_it_needs_a_key(values: dict[str, Any], wanted: str) -> None:
    pod = one(render("api", values), "Pod")["spec"]
    assert environment(pod)["KEYS_WANTED"] == wanted


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"audit": {"database": {"existingSecret": ""}}}, "charts/postgres makes one"),
        (
            {"audit": {"journal": {"sizeLimit": "512Mi"}}},
            "sizeLimit 512Mi is not above config.audit.journal_megabytes 512",
        ),
        ({"config": {"audit": {"journal_megabytes": 1024}}}, "sizeLimit 1Gi is not above"),
        ({"audit": {"journal": {"sizeLimit": "1G"}}}, "sizeLimit"),
        ({"audit": {"onFailure": "ignore"}}, "onFailure"),
        ({"audit": {"retention": {"months": 0}}}, "months"),
        ({"config": {"audit": {"database_uri": "sqlite:////x"}}}, "database_uri"),
        ({"extraEnv": {"DATABASE_URI": "postgresql+psycopg2://a@b/c"}}, "name its Secret in audit.database"),
        ({"callers": {"enabled": True}}, "needs callers.existingSecret"),
        ({"terminationGracePeriodSeconds": 44}, "is less than a stop may take, 45 s"),
        ({"config": {"serving": {"drain_seconds": 30}}}, "config.serving.drain_seconds 30, 25 for requests under way"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(values: dict[str, Any], reason: str) -> None:
    assert reason in refusal("api", values)


def test_without_the_record_a_stop_needs_no_time_to_ship_it() -> None:
    assert render("api", WITHOUT | {"terminationGracePeriodSeconds": 35})
