"""Backups: sets that are whole or none, objects that are copied once, and a restore that writes over nothing."""

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from minio import Minio
from moto.server import ThreadedMotoServer

from tests.charts.conftest import CHARTS, Object, refusal, render

NIGHT = datetime(2026, 1, 31, 1, 30, tzinfo=UTC)
WHERE = {"target": {"location": "s3://backups/credit"}}


@pytest.fixture(scope="module")
def backup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("backup_script", CHARTS / "backup" / "files" / "backup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def store() -> Iterator[Minio]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = Minio(f"{host}:{port}", "a", "b", secure=False, region="us-east-1")
    for name in ("mlflow", "checkpoints", "backups"):
        client.make_bucket(name)
    yield client
    for name in ("mlflow", "checkpoints", "backups"):
        for it in list(client.list_objects(name, recursive=True)):
            client.remove_object(name, str(it.object_name))
        client.remove_bucket(name)
    server.stop()


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    folder = tmp_path / "dumps"
    folder.mkdir()
    (folder / "credit.dump").write_bytes(b"the record")
    (folder / "mlflow.dump").write_bytes(b"the registry")
    return folder


def put(store: Minio, bucket: str, name: str, content: bytes) -> None:
    store.put_object(bucket, name, BytesIO(content), len(content))


def names(store: Minio, bucket: str) -> list[str]:
    return [str(it.object_name) for it in store.list_objects(bucket, recursive=True)]


def buckets(backup: ModuleType, store: Minio) -> dict[str, Any]:
    return {it: backup.Place(store, it) for it in ("mlflow", "checkpoints")}


def target(backup: ModuleType, store: Minio) -> Any:
    return backup.Place(store, "backups", "credit")


def test_a_set_comes_back_as_it_was(backup: ModuleType, store: Minio, dumps: Path, tmp_path: Path) -> None:
    put(store, "mlflow", "1/model.pkl", b"a model")
    put(store, "checkpoints", "credit/2026/01/x.json", b"{}")
    said = backup.write(dumps, buckets(backup, store), target(backup, store), 30, NIGHT)
    assert said == "set 20260131T013000Z: 2 dumps of 22 bytes, 2 of 2 objects copied, 0 older sets removed"
    manifest = json.loads(target(backup, store).below("sets/20260131T013000Z").read("manifest.json"))
    assert manifest["dumps"]["credit.dump"]["sha256"] == hashlib.sha256(b"the record").hexdigest()
    for bucket in ("mlflow", "checkpoints"):
        for name in names(store, bucket):
            store.remove_object(bucket, name)
    back = tmp_path / "back"
    back.mkdir()
    said = backup.read(back, buckets(backup, store), target(backup, store), "")
    assert said == "set 20260131T013000Z of 2026-01-31T01:30:00+00:00: 2 dumps, 2 objects"
    assert {it.name: it.read_bytes() for it in back.iterdir()} == {
        "credit.dump": b"the record",
        "mlflow.dump": b"the registry",
    }
    assert backup.Place(store, "mlflow").read("1/model.pkl") == b"a model"


def test_the_next_run_copies_what_is_new_and_removes_sets_that_are_too_old(
    backup: ModuleType, store: Minio, dumps: Path
) -> None:
    put(store, "mlflow", "1/model.pkl", b"a model")
    place = target(backup, store)
    backup.write(dumps, buckets(backup, store), place, 30, NIGHT)
    put(store, "mlflow", "2/model.pkl", b"another model")
    said = backup.write(dumps, buckets(backup, store), place, 30, NIGHT + timedelta(days=31))
    assert said.endswith("1 of 2 objects copied, 1 older sets removed")
    assert [*backup.sets(place)] == ["20260303T013000Z"]
    assert {it for it in names(store, "backups") if "/objects/" in it} == {
        "credit/objects/mlflow/1/model.pkl",
        "credit/objects/mlflow/2/model.pkl",
    }


def test_an_object_that_was_written_anew_in_the_same_size_is_copied_again(
    backup: ModuleType, store: Minio, dumps: Path
) -> None:
    place = target(backup, store)
    put(store, "mlflow", "1/document.json", b"first one")
    backup.write(dumps, buckets(backup, store), place, 30, NIGHT)
    put(store, "mlflow", "1/document.json", b"other one")
    backup.write(dumps, buckets(backup, store), place, 30, NIGHT + timedelta(days=1))
    assert place.below("objects/mlflow").read("1/document.json") == b"other one"


def test_a_restore_leaves_an_object_that_is_there(
    backup: ModuleType, store: Minio, dumps: Path, tmp_path: Path
) -> None:
    put(store, "mlflow", "1/model.pkl", b"a model")
    backup.write(dumps, buckets(backup, store), target(backup, store), 30, NIGHT)
    put(store, "mlflow", "1/model.pkl", b"a later model")
    said = backup.read(tmp_path, buckets(backup, store), target(backup, store), "")
    assert said.endswith("2 dumps, 0 objects")
    assert backup.Place(store, "mlflow").read("1/model.pkl") == b"a later model"


def test_a_set_that_was_cut_short_is_none_and_one_that_was_changed_is_refused(
    backup: ModuleType, store: Minio, dumps: Path, tmp_path: Path
) -> None:
    place = target(backup, store)
    with pytest.raises(SystemExit, match="there is no whole set at all at backups/credit/; there are none"):
        backup.read(tmp_path, buckets(backup, store), place, "")
    backup.write(dumps, buckets(backup, store), place, 30, NIGHT)
    put(store, "backups", "credit/sets/20260201T013000Z/credit.dump", b"half")
    assert [*backup.sets(place)] == ["20260131T013000Z"]
    with pytest.raises(SystemExit, match="no whole set 20260201T013000Z .* there are 20260131T013000Z"):
        backup.read(tmp_path, buckets(backup, store), place, "20260201T013000Z")
    assert backup.check(buckets(backup, store), place) == "1 sets, the newest 20260131T013000Z"
    put(store, "backups", "credit/sets/20260131T013000Z/credit.dump", b"the forged")
    with pytest.raises(SystemExit, match=r"credit\.dump of set 20260131T013000Z is not what was kept"):
        backup.read(tmp_path, buckets(backup, store), place, "")


def test_a_store_that_refuses_is_named(backup: ModuleType, store: Minio, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = str(store._base_url._url.geturl())
    assert urlsplit(endpoint).netloc
    variables = {"SOURCE_ENDPOINT": endpoint, "TARGET_ENDPOINT": endpoint, "SOURCE_BUCKETS": "mlflow checkpoints"}
    variables |= {"TARGET_LOCATION": "s3://nothing/credit", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="an object store refused or did not answer: NoSuchBucket for nothing"):
        list(backup.main("check"))
    monkeypatch.setenv("TARGET_LOCATION", "s3://backups/credit")
    assert list(backup.main("check")) == ["0 sets"]


def pods(objects: list[Object], kind: str) -> Object:
    (found,) = [it for it in objects if it["kind"] == kind]
    spec: Object = found["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else found["spec"]
    pod: Object = spec["template"]["spec"]
    return pod


def test_databases_are_dumped_before_objects_are_copied_and_loaded_after() -> None:
    objects = render("backup", WHERE | {"restore": {"enabled": True, "set": "20260131T013000Z"}})
    run, restore = pods(objects, "CronJob"), pods(objects, "Job")
    assert [it["command"][-1] for it in (*run["initContainers"], *run["containers"])] == ["/scripts/dump.sh", "write"]
    assert [it["command"][-1] for it in (*restore["initContainers"], *restore["containers"])] == [
        "read",
        "/scripts/load.sh",
    ]
    (databases,) = [it["value"] for it in run["initContainers"][0]["env"] if it["name"] == "DATABASES"]
    assert databases == "credit mlflow"
    (wanted,) = [it["value"] for it in restore["initContainers"][0]["env"] if it["name"] == "SET"]
    assert wanted == "20260131T013000Z"


def test_no_backup_is_made_while_something_is_restored() -> None:
    for enabled in (True, False):
        objects = render("backup", WHERE | {"restore": {"enabled": enabled}})
        (cronjob,) = [it for it in objects if it["kind"] == "CronJob"]
        assert cronjob["spec"]["suspend"] is enabled
        assert bool([it for it in objects if it["kind"] == "Job"]) is enabled


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"target": {"endpoint": "http://minio:9000"}}, "a backup in the store that it is of is lost with it"),
        ({"restore": {"set": "latest"}}, "set"),
        ({"keepDays": 0}, "keepDays"),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, Any], said: str) -> None:
    assert said in refusal("backup", values)
