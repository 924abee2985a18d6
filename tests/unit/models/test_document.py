"""A document is believed only when it is the registered file, about this version, and computes as it says."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from app.errors import ModelRefused
from app.models.document import document_bytes, proven, read_document, with_golden_probabilities
from app.models.pointer import Pointer
from app.scoring.model import ModelDocument, Row, ScoringModel
from tests.support.fakes import NAME, constant_document, constant_model

ROW = [0.5, 40.0, 0.0, 0.3, 5000.0, 8.0, 0.0, 1.0, 0.0, None]


def pointer_to(content: bytes, **different: str) -> Pointer:
    pointer = Pointer(NAME, "1", "run1", document="runs:/0a/document.json", document_digest=sha256(content).hexdigest())
    return replace(pointer, **different)


def with_rows(model: ScoringModel, *rows: Row) -> ScoringModel:
    reference = model.document.reference
    assert reference is not None
    known = replace(reference, golden_rows=list(rows), golden_probabilities=[])
    return replace(model, document=replace(model.document, reference=known))


def test_what_was_written_is_read_back_and_computes_the_same_bits(trained_model: ScoringModel) -> None:
    document = with_golden_probabilities(trained_model)
    content = document_bytes(document)
    found = read_document(content, pointer_to(content))
    assert found == document
    model = proven(found)
    assert model is not None
    assert model.score([0.0, *[float(value or 0) for value in ROW]]) == trained_model.score(
        [0.0, *[float(value or 0) for value in ROW]]
    )


def test_golden_probabilities_are_what_the_model_computes() -> None:
    model = constant_model(0.3)
    reference = with_golden_probabilities(with_rows(model, ROW, ROW)).reference
    assert reference is not None
    assert reference.golden_probabilities == [model.score([0.0] * 11)] * 2


def test_a_model_without_a_population_has_no_document_yet() -> None:
    model = constant_model(0.3)
    with pytest.raises(ModelRefused, match="credit registry adopt"):
        with_golden_probabilities(replace(model, document=replace(model.document, reference=None)))


def test_another_file_than_the_tag_names_is_refused() -> None:
    content = document_bytes(constant_document(0.3))
    with pytest.raises(ModelRefused, match="is not the one that was registered"):
        read_document(content.replace(b"0.8", b"0.9"), pointer_to(content))


@pytest.mark.parametrize("different", [{"name": "other"}, {"version": "2"}, {"run_id": "of another registry"}])
def test_a_document_about_another_version_is_refused(different: dict[str, str]) -> None:
    content = document_bytes(constant_document(0.3))
    with pytest.raises(ModelRefused, match="is about models:/credit-default-model/1"):
        read_document(content, pointer_to(content, **different))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"format": 1}', b'{"format": 99}', b"\xff"], ids=lambda it: repr(it)
)
def test_a_file_that_is_no_document_is_refused(content: bytes) -> None:
    with pytest.raises(ModelRefused):
        read_document(content, pointer_to(content))


def moved(document: ModelDocument, **spec: Any) -> ModelDocument:
    return replace(document, spec=document.spec | spec)


def test_one_bit_in_a_golden_row_is_refused() -> None:
    document = with_golden_probabilities(with_rows(constant_model(0.3), ROW))
    assert proven(document) is not None
    baseline = document.spec["baseline"]
    with pytest.raises(ModelRefused, match="golden row 0: 0.29"):
        proven(moved(document, baseline=baseline * (1 + 2**-50)))


def test_a_form_that_cannot_be_compiled_is_no_error() -> None:
    assert proven(moved(constant_document(0.3), kind="uncompiled")) is None


def test_a_compiled_form_with_a_part_missing_is_refused() -> None:
    document = constant_document(0.3)
    del document.spec["trees"]
    with pytest.raises(ModelRefused, match="holds no model"):
        proven(document)


def test_the_file_is_json() -> None:
    assert json.loads(document_bytes(constant_document(0.3)))["identity"]["name"] == NAME


def test_a_document_that_a_tag_contradicts_is_refused_with_the_remedy() -> None:
    content = document_bytes(replace(constant_document(0.3), positive_class="good"))
    assert read_document(content, pointer_to(content, positive_class="good")).positive_class == "good"
    with pytest.raises(ModelRefused, match="is 'bad', its document was made for 'good': credit registry adopt 1"):
        read_document(content, pointer_to(content, positive_class="bad"))
