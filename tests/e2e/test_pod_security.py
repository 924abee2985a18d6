"""The namespace of the system takes no pod that could do more than it should."""

from typing import Any

import pytest
from kubernetes import client

from tests.e2e.cluster import CREDIT, Cluster
from tests.e2e.pods import pod_manifest

pytestmark = pytest.mark.e2e


def test_a_modest_pod_is_taken(cluster: Cluster) -> None:
    cluster.core.create_namespaced_pod(CREDIT, pod_manifest("e2e-modest", {}), dry_run="All")


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ({"privileged": True}, "privileged"),
        ({"runAsUser": 0, "runAsNonRoot": False}, "runAsNonRoot"),
        ({"capabilities": {"add": ["NET_ADMIN"]}}, "unrestricted capabilities"),
    ],
)
def test_a_pod_with_privileges_is_refused(cluster: Cluster, context: dict[str, Any], reason: str) -> None:
    pod = pod_manifest("e2e-privileged", {})
    pod["spec"]["containers"][0]["securityContext"] = context
    with pytest.raises(client.ApiException) as caught:
        cluster.core.create_namespaced_pod(CREDIT, pod, dry_run="All")
    assert caught.value.status == 403
    assert "violates PodSecurity" in caught.value.body
    assert reason in caught.value.body
