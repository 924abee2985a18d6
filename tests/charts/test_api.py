"""What charts/api deploys: the API, the job that trains its model, and how both are watched."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import settings
from app.contract.contract import Contract
from app.contract_file import read_contract
from app.policy_file import load_policy
from app.scoring.policy import Phrase, Policy
from app.settings import DecisionSettings, Settings, load_settings
from harness.fields import CONTRACT
from tests.charts.conftest import ROOT, Object, one, refusal, render
from tests.unit.contract.test_contract import SMALL

FULL = yaml.safe_load((ROOT / "charts" / "api" / "ci" / "full-values.yaml").read_text())
WATCHED = {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "dashboards": {"enabled": True}}


def pod_of(owner: Object) -> dict[str, Any]:
    spec: dict[str, Any] = owner["spec"]
    return dict(spec["jobTemplate"]["spec"]["template"] if owner["kind"] == "CronJob" else spec["template"])


def container(owner: Object) -> dict[str, Any]:
    return dict(pod_of(owner)["spec"]["containers"][0])


def plain_environment(owner: Object) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container(owner)["env"] if "value" in variable}


@pytest.mark.parametrize("values", [{}, FULL], ids=["default", "full"])
def test_the_config_file_in_the_pods_is_one_that_the_api_accepts(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = values.get("fullnameOverride", "api")
    config = one(render("api", values), "ConfigMap", f"{name}-config")
    (tmp_path / "config.yaml").write_text(config["data"]["config.yaml"])
    monkeypatch.setattr(settings, "CONFIG_FILE", tmp_path / "config.yaml")
    loaded = load_settings()
    assert loaded.decision.threshold == values.get("config", {}).get("decision", {}).get("threshold")


def policy_in_pods(values: dict[str, Any], folder: Path) -> Policy:
    config = one(render("api", values), "ConfigMap", f"{values.get('fullnameOverride', 'api')}-policy")
    (folder / "policy.yaml").write_text(config["data"]["policy.yaml"])
    return load_policy(Settings(decision=DecisionSettings(policy_file=folder / "policy.yaml")))


def test_the_policy_in_the_pods_is_the_repositorys_with_the_values_changes(tmp_path: Path) -> None:
    own = load_policy(Settings())
    assert policy_in_pods({}, tmp_path) == own
    changed = policy_in_pods(FULL, tmp_path)
    assert changed.threshold == 0.07
    assert [rule.when for rule in changed.rules] == ["age < 21"]
    assert changed.reasons["income"]["not_stated"] == Phrase("NO_INCOME", "You did not tell us your monthly income.")
    assert changed.reasons["age"] == own.reasons["age"]


def contract_in_pods(values: dict[str, Any], folder: Path) -> Contract:
    config = one(render("api", values), "ConfigMap", "api-policy")
    (folder / "contract.yaml").write_text(config["data"]["contract.yaml"])
    return read_contract(folder / "contract.yaml")


def test_the_contract_in_the_pods_is_the_repositorys_or_the_values(tmp_path: Path) -> None:
    assert contract_in_pods({}, tmp_path) == CONTRACT
    assert contract_in_pods({"contract": SMALL}, tmp_path) == Contract.from_json(SMALL)


def test_another_contract_restarts_the_pods() -> None:
    first, second = (one(render("api", values), "Deployment", "api") for values in ({}, {"contract": SMALL}))
    stated = [it["spec"]["template"]["metadata"]["annotations"]["checksum/contract"] for it in (first, second)]
    assert stated[0] != stated[1]


def test_a_rule_of_the_policy_can_be_taken_away(tmp_path: Path) -> None:
    assert policy_in_pods({"policy": {"rules": []}}, tmp_path).rules == ()


@pytest.mark.parametrize("name", ["Deployment api", "CronJob api-training", "CronJob api-retention"])
def test_settings_and_policy_stand_in_one_folder_that_follows_its_configmaps(name: str) -> None:
    owner = one(render("api"), *name.split())
    (mount,) = [it for it in container(owner)["volumeMounts"] if it["mountPath"] == "/srv/credit/configs"]
    (volume,) = [it for it in pod_of(owner)["spec"]["volumes"] if it["name"] == mount["name"]]
    assert "subPath" not in mount
    names = [source["configMap"]["name"] for source in volume["projected"]["sources"]]
    assert names == ["api-config", "api-policy"]


def test_a_changed_policy_replaces_no_pod() -> None:
    before, after = (one(render("api", values), "Deployment") for values in ({}, {"policy": {"threshold": 0.08}}))
    assert before == after


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"threshold": 1}, "threshold"),
        ({"thresold": 0.1}, "thresold"),
        ({"reasons": {"postcode": {"above": "too high"}}}, "postcode"),
        ({"rules": [{"when": "age < 21"}]}, "reason"),
        ({"reasons": {"age": {"below": {"code": "age"}}}}, "code"),
    ],
)
def test_a_policy_that_the_api_would_refuse_is_refused_before_it_is_installed(
    policy: dict[str, Any], reason: str
) -> None:
    assert reason in refusal("api", {"policy": policy})


def test_a_changed_config_replaces_the_pods() -> None:
    before = one(render("api"), "Deployment")
    after = one(render("api", {"config": {"decision": {"threshold": 0.1}}}), "Deployment")
    checksums = {pod_of(deployment)["metadata"]["annotations"]["checksum/config"] for deployment in (before, after)}
    assert len(checksums) == 2


def test_a_setting_that_the_api_does_not_know_is_refused_before_it_is_installed() -> None:
    assert "thresold" in refusal("api", {"config": {"decision": {"thresold": 0.1}}})
    assert "threshold" in refusal("api", {"config": {"decision": {"threshold": 1}}})


def test_the_number_of_pods_is_the_autoscalers_or_the_charts_and_never_both() -> None:
    scaled = render("api")
    assert "replicas" not in one(scaled, "Deployment")["spec"]
    assert one(scaled, "HorizontalPodAutoscaler")["spec"]["minReplicas"] == 2
    fixed = render("api", {"autoscaling": {"enabled": False}})
    assert one(fixed, "Deployment")["spec"]["replicas"] == 2
    assert not [o for o in fixed if o["kind"] == "HorizontalPodAutoscaler"]


def test_a_pod_answers_until_its_callers_know_that_it_leaves() -> None:
    deployment = one(render("api"), "Deployment")
    assert container(deployment)["lifecycle"]["preStop"]["sleep"]["seconds"] == 5
    assert pod_of(deployment)["spec"]["terminationGracePeriodSeconds"] == 60
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_only_readiness_asks_for_a_model() -> None:
    api = container(one(render("api"), "Deployment"))
    paths = {name: api[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
    assert paths == {"startup": "/livez", "readiness": "/readyz", "liveness": "/livez"}


def test_a_drain_takes_one_pod_at_a_time_and_is_not_held_up_by_a_pod_that_answers_nobody() -> None:
    spec = one(render("api"), "PodDisruptionBudget")["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert refusal("api", {"podDisruptionBudget": {"maxUnavailable": 0}})


def test_an_extra_variable_replaces_the_charts_own_instead_of_standing_beside_it() -> None:
    deployment = one(
        render("api", {"extraEnv": {"MLFLOW_HTTP_REQUEST_TIMEOUT": 20, "OMP_NUM_THREADS": 1}}), "Deployment"
    )
    names = [variable["name"] for variable in container(deployment)["env"]]
    assert len(names) == len(set(names))
    variables = plain_environment(deployment)
    assert variables["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "20"
    assert variables["OMP_NUM_THREADS"] == "1"
    assert variables["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "3"


def test_the_cache_lies_on_a_volume_that_the_pod_may_write() -> None:
    deployment = one(render("api"), "Deployment")
    mounts = {mount["mountPath"]: mount for mount in container(deployment)["volumeMounts"]}
    assert plain_environment(deployment)["SERVING__CACHE_DIR"] in mounts
    assert mounts["/srv/credit/configs"]["readOnly"]


def test_the_cache_can_lie_on_a_claim_that_outlives_the_pod() -> None:
    deployment = one(render("api", {"cache": {"existingClaim": "models"}}), "Deployment")
    volumes = {volume["name"]: volume for volume in pod_of(deployment)["spec"]["volumes"]}
    assert volumes["cache"] == {"name": "cache", "persistentVolumeClaim": {"claimName": "models"}}


def test_training_waits_for_a_person_and_reads_its_keys_from_a_secret() -> None:
    job = one(render("api"), "CronJob", "api-training")
    assert job["spec"]["suspend"] is True
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert pod_of(job)["spec"]["restartPolicy"] == "Never"
    keys = {v["name"]: v["valueFrom"]["secretKeyRef"]["name"] for v in container(job)["env"] if "valueFrom" in v}
    assert keys == {"AWS_ACCESS_KEY_ID": "minio", "AWS_SECRET_ACCESS_KEY": "minio"}


def test_the_keys_that_training_reads_are_those_that_the_minio_chart_makes() -> None:
    made = one(render("minio"), "Secret", "minio")["data"]
    job = container(one(render("api"), "CronJob", "api-training"))
    read = {v["valueFrom"]["secretKeyRef"]["key"] for v in job["env"] if "valueFrom" in v}
    assert read <= set(made)


def test_the_job_is_no_pod_of_the_service() -> None:
    objects = render("api")
    selector = one(objects, "Service")["spec"]["selector"]
    assert selector.items() <= pod_of(one(objects, "Deployment"))["metadata"]["labels"].items()
    assert not selector.items() <= pod_of(one(objects, "CronJob", "api-training"))["metadata"]["labels"].items()
    assert not selector.items() <= one(objects, "Pod")["metadata"]["labels"].items()


def ingress_peers(policy: Object) -> list[Any]:
    return [peer for rule in policy["spec"]["ingress"] for peer in rule.get("from", ["everybody"])]


def test_the_api_reaches_names_mlflow_and_the_records_database_and_nothing_else() -> None:
    policy = one(render("api"), "NetworkPolicy", "api")
    assert [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"]] == [[53, 53], [5000], [5432]]
    assert all(rule["to"] for rule in policy["spec"]["egress"])


def test_the_api_is_reached_by_its_namespace_and_prometheus_unless_it_is_opened() -> None:
    assert "everybody" not in ingress_peers(one(render("api"), "NetworkPolicy", "api"))
    opened = render("api", {"networkPolicy": {"externalAccess": True}})
    assert ingress_peers(one(opened, "NetworkPolicy", "api")) == ["everybody"]


def test_training_reaches_names_mlflow_and_s3_and_is_reached_by_nobody() -> None:
    policy = one(render("api"), "NetworkPolicy", "api-training")
    assert [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"]] == [[53, 53], [5000], [9000]]
    assert policy["spec"]["ingress"] == []


def test_every_pod_of_the_chart_is_under_a_policy() -> None:
    objects = render("api")
    pods = [pod_of(o)["metadata"] for o in objects if o["kind"] in ("Deployment", "CronJob")]
    pods += [o["metadata"] for o in objects if o["kind"] == "Pod"]
    chosen = [o["spec"]["podSelector"]["matchLabels"] for o in objects if o["kind"] == "NetworkPolicy"]
    for pod in pods:
        assert any(labels.items() <= pod["labels"].items() for labels in chosen), pod["labels"]


def test_the_rules_are_deployed_as_promtool_read_them_each_by_one_chart() -> None:
    files = sorted((ROOT / "monitoring" / "rules").glob("*.yaml"))
    deployed: dict[str, Any] = {}
    for chart in ("api", "backup", "mlflow", "minio", "postgres"):
        rules = [o for o in render(chart, {"prometheusRule": {"enabled": True}}) if o["kind"] == "PrometheusRule"]
        deployed |= {rule["metadata"]["name"].removeprefix(f"{chart}-"): rule["spec"] for rule in rules}
    assert deployed == {path.stem: yaml.safe_load(path.read_text()) for path in files}


def alerts_of(chart: str, **asked: Any) -> list[Any]:
    values = {"prometheusRule": {"enabled": True, **asked}}
    groups = [g for o in render(chart, values) if o["kind"] == "PrometheusRule" for g in o["spec"]["groups"]]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


@pytest.mark.parametrize("chart", ["api", "backup", "mlflow", "minio", "postgres"])
def test_every_alert_can_be_switched_off(chart: str) -> None:
    names = {alert["alert"] for alert in alerts_of(chart)}
    schema = json.loads((ROOT / "charts" / chart / "values.schema.json").read_text())
    assert set(schema["properties"]["prometheusRule"]["properties"]["disabled"]["items"]["enum"]) == names
    for name in names:
        assert {alert["alert"] for alert in alerts_of(chart, disabled=[name])} == names - {name}
    assert alerts_of(chart, disabled=sorted(names)) == []


@pytest.mark.parametrize("chart", ["api", "backup", "mlflow", "minio", "postgres"])
def test_the_runbooks_are_linked_where_they_are_read(chart: str) -> None:
    for base in ("https://runbooks.example.com/credit", "https://runbooks.example.com/credit/"):
        for alert in alerts_of(chart, runbookBaseUrl=base):
            link = alert["annotations"]["runbook_url"]
            assert link == f"https://runbooks.example.com/credit/{alert['alert']}.md"
            assert (ROOT / "monitoring" / "runbooks" / link.rpartition("/")[2]).is_file()


def test_the_dashboards_are_deployed_as_they_are_in_a_folder_of_their_own() -> None:
    objects = render("api", WATCHED)
    for path in sorted((ROOT / "monitoring" / "dashboards").glob("*.json")):
        deployed = one(objects, "ConfigMap", f"api-dashboard-{path.stem}")
        assert json.loads(deployed["data"][f"credit-{path.name}"]) == json.loads(path.read_text())
        assert deployed["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert deployed["metadata"]["annotations"]["grafana_folder"] == "Credit Default"


def test_prometheus_finds_the_port_and_names_the_job_as_the_rules_do() -> None:
    objects = render("api", WATCHED)
    monitor, service = one(objects, "ServiceMonitor")["spec"], one(objects, "Service")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in [port["name"] for port in service["spec"]["ports"]]
    # Without a jobLabel the operator takes the Service's name.
    assert "jobLabel" not in monitor
    assert service["metadata"]["name"] == "api"


def test_watching_is_off_until_it_is_asked_for() -> None:
    kinds = {o["kind"] for o in render("api")}
    assert kinds.isdisjoint({"ServiceMonitor", "PrometheusRule"})


def test_callers_from_outside_get_neither_metrics_nor_the_route_that_fails() -> None:
    objects = render("api", FULL)
    ingress = one(objects, "Ingress")["spec"]["rules"][0]["http"]["paths"]
    route = one(objects, "HTTPRoute")["spec"]["rules"][0]["matches"]
    outside = {path["path"] for path in ingress}
    assert outside == {match["path"]["value"] for match in route}
    assert "/predict" in outside
    assert not any(hidden.startswith(path) for hidden in ("/metrics", "/boom", "/readyz") for path in outside)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"autoscaling": {"minReplicas": 5, "maxReplicas": 3}}, "autoscaling.minReplicas 5 is more than"),
        ({"resources": {"requests": {"cpu": None}}}, "needs resources.requests.cpu"),
        ({"ingress": {"enabled": True}}, "needs ingress.host"),
        ({"httpRoute": {"enabled": True}}, "needs httpRoute.parentRefs"),
        ({"service": {"nodePort": 30800}}, "has no effect while service.type is ClusterIP"),
        ({"service": {"type": "NodePort"}}, "networkPolicy.externalAccess false keeps them out"),
        ({"ingress": {"enabled": True, "host": "a.example.com"}}, "add it to networkPolicy.clients"),
        ({"training": {"s3": {"existingSecret": ""}}}, "needs training.s3.existingSecret"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(values: dict[str, Any], reason: str) -> None:
    assert reason in refusal("api", values)
