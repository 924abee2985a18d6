"""What is kept elsewhere shows what whoever owns the database, key and all, has done to the record."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from moto.server import ThreadedMotoServer
from sqlalchemy import text

from app.audit.chain import Link
from app.audit.checkpoints import checkpoint as documents, making
from app.audit.checkpoints.kept import read_kept
from app.audit.checkpoints.making import checkpoint
from app.audit.checkpoints.places import CheckpointBucket, CheckpointFolder, Place, place_of
from app.audit.checkpoints.proofs import check, prove
from app.audit.commands.verify import Verified, verify
from app.audit.signing import Signer, Trust
from app.audit.store.repository import Store
from app.audit.store.retention import retain
from app.errors import RecordInvalid, RecordUnavailable, SettingInvalid
from app.settings import AuditSettings, Settings, TrainSettings
from app.times import DAY, Month, microseconds_now
from tests.support.records import NOON, SECOND, SIGNER, TRUST, decisions, identifier, linked, policy_entry


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "folder":
        return CheckpointFolder(tmp_path / "checkpoints")
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "only-for-tests")
    endpoint = request.getfixturevalue("s3")
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    bucket = f"checkpoints-{tmp_path.name.replace('_', '-')[:40].lower().strip('-')}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    return CheckpointBucket(f"s3://{bucket}/credit", endpoint)


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    return sqlite_store


def verified(store: Store, place: Place) -> Verified:
    return verify(store, None, None, [], lambda _: None, trust=TRUST, kept=read_kept(place, TRUST))


def told(store: Store, place: Place) -> list[str]:
    found = verified(store, place)
    assert not found.passed
    return [it.what for it in found.first]


def kept(store: Store, place: Place) -> None:
    checkpoint(store, place, SIGNER, TRUST)


def filled(store: Store, count: int = 3) -> list[Link]:
    links = linked([policy_entry(), *decisions(count)])
    store.insert(links, SIGNER)
    return links


def forget(store: Store, writer: str) -> None:
    with store.engine.begin() as connection:
        for table in ("decisions", "entries", "heads"):
            connection.execute(text(f"DELETE FROM {table} WHERE writer = :writer"), {"writer": writer})


def test_an_honest_record_agrees_with_its_checkpoints(store: Store, place: Place) -> None:
    filled(store)
    first = checkpoint(store, place, SIGNER, TRUST)
    assert (first.writers, first.links) == (1, 4)
    links = linked([policy_entry(), *decisions(5)])
    store.insert(links[:4], SIGNER)
    second = checkpoint(store, place, SIGNER, TRUST)
    assert (second.writers, second.links) == (1, 4)
    store.insert(links[4:], SIGNER)
    assert checkpoint(store, place, SIGNER, TRUST).links == 2
    assert checkpoint(store, place, SIGNER, TRUST).links == 0
    found = verified(store, place)
    assert found.passed
    assert (found.links, found.signed, found.checkpoints) == (10, 2, 4)


def test_a_writer_that_is_gone_without_a_trace_is_missed(store: Store, place: Place) -> None:
    filled(store)
    links = filled(store)
    kept(store, place)
    forget(store, links[0].writer)
    assert verify(store, None, None, [], lambda _: None, trust=TRUST).passed
    assert told(store, place) == ["a checkpoint names it, and it is missing"]


def test_a_record_that_was_set_back_to_an_older_state_is_found(store: Store, place: Place) -> None:
    links = linked(decisions(5))
    store.insert(links[:3], SIGNER)
    older = store.heads()[0]
    store.insert(links, SIGNER)
    kept(store, place)
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM decisions WHERE sequence > 3"))
        columns = {name: getattr(older, name) for name in ("sequence", "hash", "at", "key", "signature")}
        connection.execute(text(f"UPDATE heads SET {', '.join(f'{it} = :{it}' for it in columns)}"), columns)
    assert verify(store, None, None, [], lambda _: None, trust=TRUST).passed
    assert told(store, place) == ["a checkpoint names it, and it is missing"]


def test_a_chain_that_was_written_anew_with_the_services_own_key_is_found(store: Store, place: Place) -> None:
    links = filled(store)
    kept(store, place)
    forget(store, links[0].writer)
    store.insert(linked([policy_entry(), *decisions(4, NOON + SECOND)], links[0].writer), SIGNER)
    assert verify(store, None, None, [], lambda _: None, trust=TRUST).passed
    assert told(store, place) == ["it is not the one that a checkpoint names"]


def test_a_chain_that_is_said_to_be_older_than_a_checkpoint_is_found(
    store: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    kept(store, place)
    long_ago = microseconds_now() - DAY
    monkeypatch.setattr("app.audit.store.inserts.microseconds_now", lambda: long_ago)
    filled(store)
    assert told(store, place) == ["its chain is older than the last checkpoint and not in any"]


def test_what_retention_took_is_not_missed(store: Store, place: Place) -> None:
    store.insert(linked([*decisions(2), *decisions(2, Month(2026, 10).start)]), SIGNER)
    store.insert(linked(decisions(2)), SIGNER)
    kept(store, place)
    retain(store, Month(2026, 12), 2, SIGNER)
    assert verified(store, place).passed


def test_the_first_of_a_day_names_every_chain_that_still_has_links(
    store: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    gone = linked(decisions(2))
    store.insert(gone, SIGNER)
    kept(store, place)
    kept(store, place)
    retain(store, Month(2026, 12), 2, SIGNER)
    store.insert(linked(decisions(1, Month(2026, 11).start), identifier(Month(2026, 11).start)), SIGNER)
    tomorrow = microseconds_now() + DAY
    monkeypatch.setattr(making, "microseconds_now", lambda: tomorrow)
    assert checkpoint(store, place, SIGNER, TRUST).writers == 1
    found = read_kept(place, TRUST)
    assert (found.checkpoints, len(found.ends), found.full_at) == (1, 1, tomorrow)


def test_a_checkpoint_that_is_missing_between_others_is_found(store: Store, tmp_path: Path) -> None:
    place = CheckpointFolder(tmp_path / "checkpoints")
    for _ in range(3):
        filled(store)
        kept(store, place)
    (tmp_path / "checkpoints" / place.names()[1]).unlink()
    assert told(store, place) == [f"checkpoint {place.names()[1]}: the one before it is missing, or another"]


@pytest.mark.parametrize("forgery", ["content", "key", "name", "nonsense"])
def test_a_checkpoint_that_the_service_did_not_write_is_found(store: Store, tmp_path: Path, forgery: str) -> None:
    place = CheckpointFolder(tmp_path / "checkpoints")
    filled(store)
    kept(store, place)
    (name,) = place.names()
    (whole,) = place.read(name)
    other = documents.Checkpoint.from_text(whole)
    match forgery:
        case "content":
            place.write(name, whole.replace('"full":true', '"full":false'))
        case "key":
            place.write(name, other.signed(Signer(Ed25519PrivateKey.generate())).to_text())
        case "name":
            place.write(name.replace("2026", "2027"), whole)
        case _:
            place.write(name, "[]")
    assert told(store, place)[0].startswith("checkpoint 2")


def test_what_somebody_else_put_behind_the_checkpoints_does_not_hide_them(store: Store, place: Place) -> None:
    links = filled(store)
    kept(store, place)
    place.write("9999/12/99991231T000000.000000Z.full.json", "{}")
    filled(store)
    assert checkpoint(store, place, SIGNER, TRUST).links == 4
    forget(store, links[0].writer)
    assert "a checkpoint names it, and it is missing" in told(store, place)


def test_what_is_written_over_in_a_bucket_is_still_there(
    store: Store, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "only-for-tests")
    endpoint = request.getfixturevalue("s3")
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="written-over", ObjectLockEnabledForBucket=True)
    place = CheckpointBucket("s3://written-over", endpoint)
    links = filled(store)
    kept(store, place)
    (name,) = place.names()
    place.write(name, "{}")
    client.delete_object(Bucket="written-over", Key=name)
    forget(store, links[0].writer)
    problems = told(store, place)
    assert "a checkpoint names it, and it is missing" in problems
    assert f"checkpoint {name}: it is no checkpoint (KeyError)" in problems


def test_one_decision_is_proven_without_the_database(store: Store, place: Place) -> None:
    filled(store, 6)
    kept(store, place)
    links = filled(store, 9)
    filled(store, 4)
    kept(store, place)
    for link in links[1:]:
        proof = prove(store, link.key, place, TRUST).to_text()
        checked = check(proof, TRUST)
        assert (checked.decision_id, checked.decision) == (link.key, "REJECT")
        assert sum(it.key in proof for it in links[1:]) == 1


def test_a_proof_that_was_changed_proves_nothing(store: Store, place: Place) -> None:
    links = filled(store, 6)
    kept(store, place)
    proof = json.loads(prove(store, links[3].key, place, TRUST).to_text())
    other = proof["content"].replace("REJECT", "ACCEPT")
    changes = (
        {"content": other},
        {"place": 1},
        {"path": proof["path"][1:]},
        {"checkpoint": "{}"},
        {"size": "x"},
        {"more": 1},
    )
    for change in changes:
        with pytest.raises(RecordInvalid):
            check(json.dumps(proof | change), TRUST)
    with pytest.raises(RecordInvalid, match="not trusted"):
        check(json.dumps(proof), Trust(frozenset({"0" * 64})))


def test_what_no_checkpoint_covers_yet_has_no_proof(store: Store, place: Place) -> None:
    kept(store, place)
    links = filled(store)
    with pytest.raises(RecordInvalid, match="no checkpoint covers decision .* yet"):
        prove(store, links[1].key, place, TRUST)
    with pytest.raises(RecordInvalid, match="the database holds no decision"):
        prove(store, identifier(NOON), place, TRUST)


def test_a_place_that_cannot_be_used_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "only-for-tests")
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordUnavailable, match="cannot be used: Not a directory"):
        CheckpointFolder(tmp_path / "file" / "checkpoints").write("x.json", "")
    assert place_of(Settings()) is None
    settings = Settings(audit=AuditSettings(checkpoints="s3:///x"), train=TrainSettings(s3_endpoint_url="http://s3"))
    with pytest.raises(SettingInvalid, match="is not s3://bucket/prefix"):
        place_of(settings)


def test_a_bucket_that_is_not_there_is_told_with_the_remedy(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "only-for-tests")
    with pytest.raises(RecordUnavailable, match="NoSuchBucket; see that the bucket is there"):
        CheckpointBucket("s3://nowhere/x", s3).names()
