"""The console of a running cluster: a person with a key finds a decision, sees why, and takes its letter."""

import re
from collections.abc import Iterator

import httpx
import pytest

from app.callers.known import digest_of
from tests.e2e.api import LOCAL, TIMEOUT_SECONDS
from tests.e2e.cluster import CREDIT, Cluster, kubectl, released_values, upgrade
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

KEY = "cdk_end_to_end"
SECRET = "e2e-callers"
RISKY = {"data": {"features": [0, 0.99, 30, 3, 0.9, 2500, 5, 2, 0, 1, 2]}, "application_id": "A-e2e-console"}
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def console(cluster: Cluster) -> Iterator[httpx.Client]:
    """A browser at the console, of an API that wants keys."""
    values = released_values("api")
    callers = f"- {{name: officer, sha256: {digest_of(KEY.encode()).hex()}, scopes: [predict, read]}}\n"
    kubectl("create", "secret", "generic", SECRET, "--namespace", CREDIT, f"--from-literal=callers.yaml={callers}")
    try:
        upgrade("api", values, {"callers.enabled": True, "callers.existingSecret": SECRET, "console.enabled": True})
        with cluster.port_forward("service/api-console", 8080) as address:
            with httpx.Client(base_url=f"http://{address}", timeout=TIMEOUT_SECONDS, follow_redirects=True) as client:
                yield client
    finally:
        upgrade("api", values)
        kubectl("delete", "secret", SECRET, "--namespace", CREDIT)


def test_a_refusal_is_found_explained_checked_and_written_about(console: httpx.Client) -> None:
    decided = httpx.post(f"{LOCAL}/predict", json=RISKY, headers=BEARER, timeout=TIMEOUT_SECONDS).json()
    assert decided["decision"] == "REJECT"
    assert "API key with the scope read" in console.get("/").text
    assert console.post("/sign-in", data={"key": KEY}).url.path == "/"
    where = f"/?application={RISKY['application_id']}"
    listed = wait_until(lambda: console.get(where).text, lambda it: decided["decision_id"] in it, 60.0, "the record")
    (link,) = re.findall(rf"/decisions/{decided['decision_id']}", listed)
    shown = console.get(link).text
    assert decided["reasons"][0]["text"] in shown
    assert "What each factor does" in shown
    assert "comes out again to the last bit" in console.post(f"{link}/check").text
    letter = console.post(f"{link}/letter")
    assert (letter.headers["content-type"], letter.content[:5]) == ("application/pdf", b"%PDF-")
