"""The load holds what it says: applicants that the service accepts, and requests that it refuses."""

import json
from random import Random

import pytest

from app.serving.api.reading import BodyInvalid, Reader
from harness.fields import CONTRACT, FEATURES, NULLABLE
from loadtests.payloads import BATCH_ROWS, JSON, Payload, applicant, bad, batch, documented, single

READER = Reader(CONTRACT)


def read_vector(body: bytes) -> list[float]:
    return READER.read(body)[0]


def read_rows(body: bytes) -> list[list[float]]:
    return READER.rows(body)[0]


def test_every_made_up_applicant_is_valid() -> None:
    random = Random(1)
    for _ in range(500):
        assert len(read_vector(single(random).body.encode())) == 1 + len(FEATURES)


def test_applicants_lack_only_what_may_be_missing() -> None:
    random = Random(2)
    lacking = {name for _ in range(500) for name, value in applicant(random).items() if value is None}
    assert lacking == NULLABLE


def test_applicants_are_sent_by_name_and_as_vectors() -> None:
    random = Random(3)
    assert {key for _ in range(20) for key in json.loads(single(random).body)["data"]} == {"applicant", "features"}


def test_a_batch_is_valid_and_of_modest_size() -> None:
    random = Random(4)
    sizes = [len(read_rows(batch(random).body.encode())) for _ in range(100)]
    assert BATCH_ROWS[0] <= min(sizes) < max(sizes) <= BATCH_ROWS[1]


def test_the_same_seed_gives_the_same_load() -> None:
    assert [single(Random(5)), batch(Random(6))] == [single(Random(5)), batch(Random(6))]


@pytest.mark.parametrize("payload", documented())
def test_a_documented_request_is_valid(payload: Payload) -> None:
    assert payload.status == 200
    assert read_vector(payload.body.encode())


@pytest.mark.parametrize("payload", [p for p in bad() if p.status == 422])
def test_a_bad_request_is_refused(payload: Payload) -> None:
    read = read_rows if payload.path == "/predict/batch" else read_vector
    with pytest.raises(BodyInvalid):
        read(payload.body.encode())


def test_bad_requests_cover_the_refusals_by_body_and_by_media_type() -> None:
    assert {(p.path, p.status) for p in bad()} == {("/predict", 415), ("/predict", 422), ("/predict/batch", 422)}
    assert all(p.content_type != JSON for p in bad() if p.status == 415)
