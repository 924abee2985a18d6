"""The record's checkpoints lie where nobody can change them, and the record is verified against them."""

import base64

import pytest

from tests.e2e.cluster import CREDIT, Cluster, kubectl
from tests.e2e.jobs import run_of

pytestmark = pytest.mark.e2e

DELETE = """
from minio import Minio
client = Minio("minio:9000", {user!r}, {password!r}, secure=False)
found = list(client.list_objects("checkpoints", "credit/{name}", recursive=True, include_version=True))
for it in found:
    try:
        client.remove_object("checkpoints", it.object_name, version_id=it.version_id)
        print("deleted")
    except Exception as error:
        print("WORM protected" in str(error))
print(len(list(client.list_objects("checkpoints", "credit/{name}", recursive=True, include_version=True))))
"""


def test_checkpoints_are_kept_where_root_itself_cannot_delete_them(cluster: Cluster) -> None:
    with run_of(cluster, "api-checkpoint") as log:
        assert "links since the one before" in log
    name = log.splitlines()[-1].partition(":")[0]
    secret = cluster.core.read_namespaced_secret("minio", CREDIT).data
    user, password = (base64.b64decode(secret[it]).decode() for it in ("root-user", "root-password"))
    script = DELETE.format(user=user, password=password, name=name)
    told = kubectl("--namespace", CREDIT, "exec", "--stdin", "deploy/mlflow", "--", "python", "-", stdin=script).stdout
    assert told.splitlines() == ["True", "1"]


def test_the_record_agrees_with_its_checkpoints(cluster: Cluster) -> None:
    with run_of(cluster, "api-checkpoint"), run_of(cluster, "api-verify") as log:
        assert "OK: " in log
        assert "checkpoints" in log
        assert "signed ends" in log
