"""The console in charts/api: off until it is asked for, for people with a key, beside the way of a decision."""

import re
from typing import Any

import pytest

from tests.charts.conftest import ROOT, one, refusal, render, render_release

CALLERS = {"callers": {"enabled": True, "existingSecret": "callers"}}
ON: dict[str, Any] = {**CALLERS, "console": {"enabled": True}}


def test_it_is_off_until_it_is_asked_for() -> None:
    assert not [o for o in render("api") if "console" in o["metadata"]["name"]]


def test_it_needs_keys_and_a_record() -> None:
    for values in ({"console": {"enabled": True}}, {**ON, "audit": {"enabled": False}}):
        assert "console.enabled needs callers.enabled" in refusal("api", values)


def test_it_runs_apart_from_the_server_and_is_found_by_its_own_service() -> None:
    objects = render("api", ON)
    pod = one(objects, "Deployment", "api-console")["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert container["command"][:2] == ["credit", "console"]
    assert container["image"].rpartition(":")[0].endswith("training")
    selected = one(objects, "Service", "api-console")["spec"]["selector"]
    assert selected.items() <= pod["metadata"]["labels"].items()
    server = one(objects, "Deployment", "api")["spec"]["template"]
    assert not selected.items() <= server["metadata"]["labels"].items()
    assert not one(objects, "Service", "api")["spec"]["selector"].items() <= pod["metadata"]["labels"].items()


def test_the_letter_is_the_lenders_or_the_shipped_one() -> None:
    shipped = one(render("api", ON), "ConfigMap", "api-letter")["data"]["letter.html"]
    assert shipped == (ROOT / "configs" / "letter.html").read_text()
    own = {**ON, "console": {"enabled": True, "letter": "<p>{{ today }}</p>"}}
    assert one(render("api", own), "ConfigMap", "api-letter")["data"]["letter.html"].strip() == "<p>{{ today }}</p>"


def test_nobody_reaches_it_from_elsewhere_until_peers_are_named() -> None:
    alone = {**ON, "networkPolicy": {"metricsNamespace": ""}}
    assert one(render("api", alone), "NetworkPolicy", "api-console")["spec"]["ingress"] == []
    peer = {"podSelector": {"matchLabels": {"app": "gateway"}}}
    named = {**ON, "console": {"enabled": True, "clients": [peer]}}
    (rule,) = one(render("api", named), "NetworkPolicy", "api-console")["spec"]["ingress"]
    prometheus = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert rule["from"] == [prometheus, peer]


def variables(values: dict[str, Any]) -> dict[str, Any]:
    (container,) = one(render("api", values), "Deployment", "api-console")["spec"]["template"]["spec"]["containers"]
    return {it["name"]: it.get("value", it.get("valueFrom")) for it in container["env"]}


def test_a_proxy_may_sign_people_in() -> None:
    assert "CONSOLE__USER_HEADER" not in variables(ON)
    people = {"enabled": True, "userHeader": "X-Forwarded-Email", "officers": ["jane@lender.example"]}
    told = variables({**CALLERS, "console": people})
    assert told["CONSOLE__USER_HEADER"] == "X-Forwarded-Email"
    assert told["CONSOLE__OFFICERS"] == '["jane@lender.example"]'


def test_an_openid_provider_may_sign_people_in() -> None:
    provider = {"issuer": "https://login.lender.example", "clientId": "console", "url": "https://console"}
    people = {"enabled": True, "approvers": ["group:risk"], "openid": provider | {"existingSecret": "openid"}}
    told = variables({**CALLERS, "console": people})
    assert told["CONSOLE__OPENID__ISSUER"] == "https://login.lender.example"
    assert told["CONSOLE__APPROVERS"] == '["group:risk"]'
    assert told["CONSOLE__OPENID__CLIENT_SECRET"]["secretKeyRef"] == {"name": "openid", "key": "client-secret"}
    public = variables({**CALLERS, "console": {"enabled": True, "openid": provider}})
    assert "CONSOLE__OPENID__CLIENT_SECRET" not in public
    both = {"enabled": True, "userHeader": "X-Forwarded-Email", "openid": provider}
    assert "two ways to sign in" in refusal("api", {**CALLERS, "console": both})
    lacking = {"enabled": True, "openid": {"issuer": "https://login.lender.example"}}
    assert "needs console.openid.clientId" in refusal("api", {**CALLERS, "console": lacking})


def test_it_reaches_the_training_data_only_to_promote() -> None:
    ports = {5000, 5432}
    for promotion in (False, True):
        values = {**CALLERS, "console": {"enabled": True, "promotion": promotion}}
        told = variables(values)
        assert told["CONSOLE__PROMOTION"] == str(promotion).lower()
        assert ("DATA" in told, "AWS_SECRET_ACCESS_KEY" in told) == (promotion, promotion)
        rules = one(render("api", values), "NetworkPolicy", "api-console")["spec"]["egress"]
        assert {rule["ports"][0]["port"] for rule in rules[1:]} == ports | ({9000} if promotion else set())


def test_the_report_that_it_shows_is_made_each_night_by_the_image_that_computes() -> None:
    assert not [o for o in render("api") if o["metadata"]["name"] == "api-outcomes"]
    spec = one(render("api", ON), "CronJob", "api-outcomes")["spec"]
    (container,) = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["credit", "outcomes", "report", "--keep"]
    assert container["image"].rpartition(":")[0].endswith("training")


@pytest.mark.parametrize("release", ["api", "loans-of-the-northern-branch-and-all-its-partners"])
def test_its_alerts_watch_the_job_that_prometheus_gives_it(release: str) -> None:
    objects = render_release("api", release, "credit", {**ON, "prometheusRule": {"enabled": True}})
    (service,) = [o for o in objects if o["kind"] == "Service" and o["metadata"]["name"].endswith("-console")]
    (rules,) = [o for o in objects if o["kind"] == "PrometheusRule" and o["metadata"]["name"].endswith("-outcomes")]
    for rule in rules["spec"]["groups"][0]["rules"]:
        assert {*re.findall(r'job="([^"]+)"', rule["expr"])} == {service["metadata"]["name"]}
