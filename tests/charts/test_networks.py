"""What the NetworkPolicies let through: never more because a list is empty, and what a cluster needs by values."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.charts.conftest import Object, refusal, render
from tests.charts.test_batch import BATCH
from tests.charts.variants import OWN_PODS, values_of

NODE_LOCAL = {"ipBlock": {"cidr": "169.254.20.10/32"}}
PROXY = {"to": [{"ipBlock": {"cidr": "192.0.2.7/32"}}], "ports": [{"port": 3128}]}


def whole(chart: str, policy: dict[str, Any]) -> list[Object]:
    """The policies of a chart with everything that has one."""
    watched = {} if chart in {"postgres", "backup"} else {"serviceMonitor": {"enabled": True}}
    values = {"networkPolicy": policy, **watched, **({"batch": BATCH} if chart == "api" else {})}
    return [thing for thing in render(chart, values) if thing["kind"] == "NetworkPolicy"]


def openings(policies: list[Object]) -> set[tuple[str, ...]]:
    """Each way through: the policy, in or out, the ports and the peer; no peer is everybody."""
    found: set[tuple[str, ...]] = set()
    for policy in policies:
        for way, peers in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"][way] or []:
                for peer in rule.get(peers) or ["everybody"]:
                    found.add((policy["metadata"]["name"], way, json.dumps(rule.get("ports")), json.dumps(peer)))
    return found


def lists(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where a list stands in the values."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from lists(value, (*path, key))
    elif isinstance(values, list):
        yield path


def emptied(paths: list[tuple[str, ...]]) -> dict[str, Any]:
    """Values with an empty list at each path."""
    values: dict[str, Any] = {}
    for path in paths:
        at = values
        for key in path[:-1]:
            at = at.setdefault(key, {})
        at[path[-1]] = []
    return values


@pytest.mark.parametrize("chart", OWN_PODS)
def test_an_empty_list_opens_nothing(chart: str) -> None:
    before = openings(whole(chart, {}))
    assert not [opening for opening in before if opening[-1] == '"everybody"']
    paths = list(lists(values_of(chart)["networkPolicy"]))
    assert paths
    for empty in (paths, *([path] for path in paths)):
        assert openings(whole(chart, emptied(empty))) <= before, empty


@pytest.mark.parametrize("chart", OWN_PODS)
def test_a_peer_that_says_nothing_is_refused(chart: str) -> None:
    for path in lists(values_of(chart)["networkPolicy"]):
        if path[-1] not in {"fromRanges", "ports"}:
            values = emptied([path])
            at: Any = values
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = [{}]
            assert path[-1] in refusal(chart, {"networkPolicy": values}), path


@pytest.mark.parametrize("chart", OWN_PODS)
def test_names_may_be_looked_up_elsewhere(chart: str) -> None:
    policies = whole(chart, {"dns": {"to": [NODE_LOCAL], "ports": [5353]}})
    dns = [ways for ways in openings(policies) if json.loads(ways[-1]) == NODE_LOCAL]
    assert dns
    for _, way, ports, _ in dns:
        assert way == "egress"
        assert json.loads(ports) == [{"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"}]
    assert "kube-dns" not in json.dumps(policies)


@pytest.mark.parametrize("chart", OWN_PODS)
def test_every_pod_may_be_let_out_to_more(chart: str) -> None:
    for policy in whole(chart, {"extraEgress": [PROXY]}):
        assert PROXY in policy["spec"]["egress"], policy["metadata"]["name"]
    assert "to" in refusal(chart, {"networkPolicy": {"extraEgress": [{"ports": [{"port": 443}]}]}})
