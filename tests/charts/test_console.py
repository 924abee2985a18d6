"""The console in charts/api: off until it is asked for, for people with a key, beside the way of a decision."""

from typing import Any

from tests.charts.conftest import ROOT, one, refusal, render

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
    assert one(render("api", ON), "NetworkPolicy", "api-console")["spec"]["ingress"] == []
    peer = {"podSelector": {"matchLabels": {"app": "gateway"}}}
    named = {**ON, "console": {"enabled": True, "clients": [peer]}}
    assert one(render("api", named), "NetworkPolicy", "api-console")["spec"]["ingress"][0]["from"] == [peer]
