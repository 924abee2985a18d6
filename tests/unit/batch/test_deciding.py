"""A chunk's columns are the decisions that its rows get one by one, whichever way they are made."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from app.batch import deciding as module
from app.batch.chunks import Chunk
from app.batch.deciding import deciding
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel
from app.scoring.policy import Policy
from tests.support.estimators import quirky_rows
from tests.support.fakes import constant_document, constant_model
from tests.support.records import policy_of_tests

POLICY = policy_of_tests()


def chunk_of(rows: Any) -> Chunk:
    """Wire vectors: the row's number, then ten values, NaN where one is missing."""
    matrix = np.asarray(rows, dtype=float).reshape(-1, 11)
    return Chunk(pa.array(range(len(matrix))), matrix, matrix.nbytes)


def applicants(count: int) -> Chunk:
    rows = quirky_rows(count, 11, seed=5)
    rows[:, 2] = 15 + np.arange(count) % 60  # some are younger than the policy allows
    return chunk_of(rows)


def row_by_row(probability: float = 0.2) -> ScoringModel:
    """A model without a compiled form, which refuses who uses much of their credit."""
    document = replace(constant_document(0.5), spec={"kind": "uncompiled"})
    return ScoringModel(document, lambda inputs: probability if inputs[0] > 0.5 else 0.01)


def one_by_one(decider: Decider, chunk: Chunk) -> list[tuple[float, str, list[str]]]:
    made = [decider.decide(row) for row in chunk.rows.tolist()]
    return [(it.probability, it.verdict, [reason.code for reason in it.reasons]) for it in made]


def columns_of(columns: dict[str, pa.Array]) -> list[tuple[float, str, list[str]]]:
    names = ("probability", "decision", "reasons")
    return list(zip(*(columns[name].to_pylist() for name in names), strict=True))


@pytest.fixture(params=["at once", "row by row"])
def decider(request: pytest.FixtureRequest, trained_model: ScoringModel) -> Decider:
    return Decider(trained_model if request.param == "at once" else row_by_row(), POLICY)


def test_every_row_is_decided_as_alone(decider: Decider) -> None:
    chunk = applicants(300)
    decided = deciding(decider, with_reasons=True)(chunk)
    expected = one_by_one(decider, chunk)
    assert columns_of(decided.columns) == expected
    assert {verdict for _, verdict, _ in expected} == {"ACCEPT", "REJECT"}
    assert decided.refused == sum(verdict == "REJECT" for _, verdict, _ in expected)


def test_a_chunk_of_several_blocks_keeps_its_order(
    trained_model: ScoringModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    decider, chunk = Decider(trained_model, POLICY), applicants(100)
    whole = deciding(decider, with_reasons=True)(chunk)
    monkeypatch.setattr(module, "BLOCK_ROWS", 7)
    assert columns_of(deciding(decider, with_reasons=True)(chunk).columns) == columns_of(whole.columns)


def test_an_accepted_row_has_no_reason_and_a_refused_one_has(decider: Decider) -> None:
    columns = deciding(decider, with_reasons=True)(applicants(300)).columns
    for verdict, codes in zip(columns["decision"].to_pylist(), columns["reasons"].to_pylist(), strict=True):
        assert (codes != []) == (verdict == "REJECT")


def test_without_reasons_the_rest_is_the_same(decider: Decider) -> None:
    chunk = applicants(50)
    with_reasons, without = (deciding(decider, wanted)(chunk) for wanted in (True, False))
    assert set(with_reasons.columns) - set(without.columns) == {"reasons"}
    assert without.refused == with_reasons.refused
    assert all(without.columns[name].equals(with_reasons.columns[name]) for name in without.columns)


def test_both_ways_give_columns_of_the_same_types_and_say_who_decided() -> None:
    policy: Policy = replace(POLICY, threshold=0.3)
    chunk = applicants(5)
    models = (constant_model(0.2, "7"), row_by_row())
    at_once, slow = (deciding(Decider(model, policy), with_reasons=True)(chunk).columns for model in models)
    assert {name: it.type for name, it in at_once.items()} == {name: it.type for name, it in slow.items()}
    assert set(at_once["model_version"].to_pylist()) == {"7"}
    assert set(slow["model_version"].to_pylist()) == {"1"}
    assert set(at_once["policy_version"].to_pylist()) == {policy.version} != {POLICY.version}


@pytest.mark.parametrize(("probability", "refused"), [(0.001, 0), (0.9, 4)])
def test_a_chunk_may_be_refused_as_a_whole_or_not_at_all(probability: float, refused: int) -> None:
    chunk = chunk_of([[row, 0.3, 40, 0, 0.3, 5000, 8, 0, 1, 0, 1] for row in range(4)])
    decided = deciding(Decider(constant_model(probability), POLICY), with_reasons=True)(chunk)
    assert decided.refused == refused
    assert [len(codes) > 0 for codes in decided.columns["reasons"].to_pylist()] == [refused > 0] * 4
