"""Every password is changed while decisions go on: none fails, none is lost, and the old passwords are of no use."""

import base64
import json
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.e2e.cluster import CREDIT, Cluster, kubectl, released_values, shown, upgrade
from tests.e2e.load import Load
from tests.e2e.pods import Inside
from tests.e2e.record import arrived
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e

ROLES = ("postgres", "mlflow", "credit")


def change(cluster: Cluster, name: str, keys: tuple[str, ...]) -> dict[str, str]:
    """Write new passwords into a Secret; gives the old ones."""
    old = cluster.core.read_namespaced_secret(name, CREDIT).data
    new = {key: base64.b64encode(secrets.token_hex(16).encode()).decode() for key in keys}
    kubectl("--namespace", CREDIT, "patch", "secret", name, "--patch", json.dumps({"data": new}))
    return {key: base64.b64decode(old[key]).decode() for key in keys}


def lets_in(role: str, password: str) -> bool:
    """Whether Postgres does, over TCP as everybody comes."""
    database = "credit" if role == "postgres" else role
    inside = ["--namespace", CREDIT, "exec", "postgres-0", "--container", "postgres", "--"]
    script = f"PGPASSWORD={password} psql --host=127.0.0.1 --username={role} --dbname={database} --command='select 1'"
    told = shown(*inside, "sh", "-c", script)
    refused = "password authentication failed" in told
    assert refused or "1 row" in told, told
    return not refused


def test_passwords_are_changed_under_load_and_no_decision_fails_or_is_lost(
    cluster: Cluster,
    under_load: Callable[[], AbstractContextManager[Load]],
    note: Callable[[str], None],
) -> None:
    cluster.wait_settled()
    with under_load() as load:
        old = change(cluster, "postgres", tuple(f"{role}-password" for role in ROLES))
        wait_until(
            lambda: [role for role in ROLES if lets_in(role, old[f"{role}-password"])],
            lambda still: still == [],
            300,
            "the old passwords to be refused",
        )
        change(cluster, "minio", ("secret-key",))
        # Which writes the addresses anew, gives MinIO's user its key, and brings pods that read them.
        for release in ("postgres", "minio", "mlflow", "api"):
            upgrade(release, released_values(release))
        cluster.wait_settled()
    note(str(load))
    assert load.failed == []
    found = arrived(cluster, load.decisions)
    note(str(found))
    assert (found.lost, found.doubled) == (0, 0)
    # The registry reads its database and its objects with the new ones.
    assert Inside("deploy/api").run("document")["has_document"]
