import json
from dataclasses import replace
from math import isnan
from typing import Any

import pytest
from hypothesis import given, strategies as st

from app.contract.contract import Contract
from app.serving.api.reading import MOST_ERRORS, BodyInvalid, Reader, pointer_to
from harness.fields import CONTRACT, FEATURES, NULLABLE, POSITIONS
from tests.support.fakes import json_file
from tests.unit.contract.test_contract import SMALL

READER = Reader(CONTRACT)


def read_vector(body: bytes) -> list[float]:
    return READER.read(body)[0]


def read_rows(body: bytes) -> list[list[float]]:
    return READER.rows(body)[0]


ROW = json_file("request.json")["data"]["features"]

finite = st.floats(0, allow_nan=False, allow_infinity=False) | st.integers(0, 10**300)
rows = st.tuples(*(finite | st.none() if name in NULLABLE else finite for name in POSITIONS))


def refused(body: str | bytes) -> BodyInvalid:
    with pytest.raises(BodyInvalid) as caught:
        read_vector(body if isinstance(body, bytes) else body.encode())
    return caught.value


def predict(data: Any) -> bytes:
    return json.dumps({"data": data}).encode()


def same(vector: list[float], values: Any) -> bool:
    pairs = zip(vector, values, strict=True)
    return all(isnan(got) if sent is None else got == float(sent) for got, sent in pairs)


@given(rows)
def test_eleven_finite_numbers_come_out_as_they_were_sent_and_null_as_nan(row: tuple[float | None, ...]) -> None:
    assert same(read_vector(predict({"features": row})), row)


@given(rows)
def test_an_applicant_by_name_is_the_same_vector_with_the_row_number_0(row: tuple[float | None, ...]) -> None:
    applicant = dict(zip(FEATURES, row[1:], strict=True))
    assert same(read_vector(predict({"applicant": applicant})), (0, *row[1:]))


@given(st.lists(rows, min_size=1, max_size=5))
def test_the_rows_of_a_batch_are_the_vectors_of_single_requests(sent: list[tuple[float | None, ...]]) -> None:
    vectors = read_rows(predict({"rows": sent}))
    assert all(same(vector, row) for vector, row in zip(vectors, sent, strict=True))


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=30,
)


@given(json_values | st.fixed_dictionaries({"data": json_values}))
def test_no_json_value_at_all_raises_anything_but_a_refusal(value: Any) -> None:
    assert refused(json.dumps(value)).errors
    with pytest.raises(BodyInvalid):
        read_rows(json.dumps(value).encode())


@given(st.binary(max_size=100))
def test_no_bytes_at_all_raise_anything_but_a_refusal(body: bytes) -> None:
    assert refused(body).errors


def test_a_refusal_names_the_place_and_the_feature() -> None:
    error = refused(predict({"features": [*ROW[:5], "much", *ROW[6:]]})).errors[0]
    assert (error.pointer, error.detail) == ("/data/features/5", "MonthlyIncome must be a number or null")


def test_a_refusal_of_a_batch_names_the_first_bad_row() -> None:
    with pytest.raises(BodyInvalid) as caught:
        read_rows(predict({"rows": [ROW, [*ROW[:2], None, *ROW[3:]], ["x"] * 11]}))
    (error,) = caught.value.errors
    assert (error.pointer, error.detail) == ("/data/rows/1/2", "row 1: age must be a number")


def test_a_missing_name_that_may_be_null_says_how_to_say_that_it_is_unknown() -> None:
    applicant = {name: 1 for name in FEATURES if name != "NumberOfDependents"}
    (error,) = refused(predict({"applicant": applicant})).errors
    assert error.detail == "NumberOfDependents is missing; send null when it is unknown"


def test_a_refusal_repeats_nothing_of_what_was_sent() -> None:
    secret = "4155551234"
    sent = [{secret: secret}, {"features": [secret] * 11}, {"applicant": {secret: 1, "age": secret}}, secret]
    for data in sent:
        said = " ".join(error.pointer + error.detail for error in refused(predict(data)).errors)
        assert secret not in said


def test_one_mistake_made_many_times_in_one_place_is_one_error() -> None:
    assert refused(predict({"features": []})).count == 1
    assert refused(predict({"features": ROW, "a": 1, "b": 2})).count == 1


def test_a_long_list_of_errors_is_cut_and_counted() -> None:
    many = tuple(replace(CONTRACT.fields[1], name=f"field_{number}") for number in range(30))
    factor = replace(CONTRACT.factors[0], name="one", expression="field_0", cases={})
    reader = Reader(Contract(CONTRACT.outcome, many, (factor,)))
    with pytest.raises(BodyInvalid) as raised:
        reader.read(predict({"features": ["x"] * 30}))
    assert (len(raised.value.errors), raised.value.count) == (MOST_ERRORS, 30)


@pytest.mark.parametrize("features", [ROW, [], ["x"] * 11, "x"])
@pytest.mark.parametrize("applicant", [{}, {"age": "x"}, None])
def test_features_beside_an_applicant_are_one_error(features: Any, applicant: Any) -> None:
    error = refused(predict({"features": features, "applicant": applicant}))
    (told,) = error.errors
    assert (told.pointer, error.count) == ("/data", 1)
    assert told.detail == "data must hold exactly one of features and applicant"


def test_a_body_of_endless_errors_is_refused_without_listing_them() -> None:
    error = refused(json.dumps({f"name{number}": 1 for number in range(5_000)}))
    assert [it.detail for it in error.errors] == ["the body has too many errors to list"]


def test_a_pointer_escapes_what_json_pointers_reserve() -> None:
    assert pointer_to(("a/b", "~", 3)) == "/a~1b/~0/3"


SMALL_READER = Reader(Contract.from_json(SMALL))


def test_categories_are_their_codes_and_whole_numbers_may_have_a_point() -> None:
    assert same(SMALL_READER.read(predict({"features": [7, 30.0, "house", None]}))[0], [7, 30, 1, None])
    named = {"years": 41, "purpose": "car", "amount": 5.5}
    assert SMALL_READER.read(predict({"applicant": named}))[0] == [0, 41, 0, 5.5]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ([0, 30, "boat", 1], "purpose must be one of car, house"),
        ([0, 30, 1, 1], "purpose must be one of car, house"),
        ([0, 30, None, 1], "purpose must be one of car, house"),
        ([0, 30.5, "car", 1], "years must be a whole number"),
        ([0, 17, "car", 1], "years must be from 18 to 99"),
        ([0, 100, "car", 1], "years must be from 18 to 99"),
        ([0, 30, "car", -1], "amount must be at least 0 or null"),
        ([0, 30, "car"], "features must hold exactly 4 values"),
    ],
)
def test_what_the_contract_does_not_allow_is_told_without_the_value(row: list[Any], told: str) -> None:
    with pytest.raises(BodyInvalid) as caught:
        SMALL_READER.read(predict({"features": row}))
    assert [error.detail for error in caught.value.errors] == [told]


VALUES = st.one_of(st.none(), st.integers(-5, 120), st.floats(-5, 120), st.sampled_from(["car", "house", "boat", ""]))


@given(st.lists(VALUES, min_size=3, max_size=3))
def test_what_the_contract_allows_is_read_and_nothing_else(values: list[Any]) -> None:
    contract = SMALL_READER.contract
    allowed = all(it.complaint(value) is None for it, value in zip(contract.asked, values, strict=True))
    body = predict({"features": [0, *values]})
    if allowed:
        assert contract.values(SMALL_READER.read(body)[0]) == values
    else:
        with pytest.raises(BodyInvalid):
            SMALL_READER.read(body)
