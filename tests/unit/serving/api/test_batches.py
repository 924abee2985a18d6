"""A large batch is what its rows would be one at a time: the answers, the metrics, and turns for the others."""

import asyncio
import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from app.scoring.model import ScoringModel
from app.serving.api.batches import FEWEST_ROWS, MOST_ROWS, SLICE_SECONDS, answer_batch, encoded, next_count
from app.serving.record.recorder import RequestContext
from app.settings import ROOT
from tests.support.estimators import Rows
from tests.support.fakes import Api, constant_document

COUNTED = ("credit_decisions", "credit_probability", "credit_reasons", "credit_feature_values", "credit_out_of_range")


def wire(rows: Rows) -> list[list[float | None]]:
    return [[None if math.isnan(value) else value for value in row] for row in rows.tolist()]


def asked(api: Api, rows: Rows) -> list[Any]:
    response = api.post("/predict/batch", {"data": {"rows": wire(rows)}})
    assert response.status_code == 200, response.text
    return list(response.json()["predictions"])


def counted(api: Api) -> list[str]:
    lines = api.get("/metrics").text.splitlines()
    return sorted(line for line in lines if line.startswith(COUNTED) and "_created" not in line)


def awkward(applicants: Rows) -> Rows:
    """Applicants with some whom a rule refuses and some outside of every range."""
    rows = applicants.copy()
    rows[::50, 2] = 17.0
    rows[::70, 1] = 1e9
    rows[::140, 4] = 1e9
    return rows


def test_a_large_batch_answers_and_counts_as_small_ones_do(trained_model: ScoringModel, applicants: Rows) -> None:
    rows = awkward(applicants)
    at_once, in_pieces = Api(trained_model), Api(trained_model)
    small = FEWEST_ROWS - 1
    expected = [it for start in range(0, len(rows), small) for it in asked(in_pieces, rows[start : start + small])]
    assert asked(at_once, rows) == expected
    assert counted(at_once) == counted(in_pieces)
    assert {len(it["out_of_range"]) for it in expected} >= {0, 1, 2}


def test_a_model_without_a_population_is_served_in_large_batches_too(applicants: Rows) -> None:
    model = ScoringModel.compiled(replace(constant_document(0.3), reference=None))
    assert {it["reasons"][0]["code"] for it in asked(Api(model), applicants[:FEWEST_ROWS])} == {"REASONS_ON_REQUEST"}


def test_a_model_that_has_to_be_asked_row_by_row_is(applicants: Rows) -> None:
    document = replace(constant_document(0.5), spec={"kind": "uncompiled"}, reference=None)
    made = asked(Api(ScoringModel(document, lambda inputs: 0.25)), applicants[:FEWEST_ROWS])
    assert [it["probability"] for it in made] == [0.25] * FEWEST_ROWS


def test_another_policy_decides_the_next_large_batch(trained_model: ScoringModel, applicants: Rows) -> None:
    api = Api(trained_model)
    before = asked(api, applicants)
    api.holder.take_policy(replace(api.policy, threshold=0.9))
    after = asked(api, applicants)
    assert [it["probability"] for it in before] == [it["probability"] for it in after]
    assert sum(it["decision"] == "REJECT" for it in before) > sum(it["decision"] == "REJECT" for it in after)


def test_a_band_for_people_is_answered_counted_and_told_alike_at_once_and_one_by_one(
    trained_model: ScoringModel, applicants: Rows
) -> None:
    at_once, one_by_one = Api(trained_model), Api(trained_model)
    assert at_once.get("/meta").json()["review"] is None
    for api in (at_once, one_by_one):
        api.holder.take_policy(replace(api.policy, review=0.02))
    rows = applicants[:FEWEST_ROWS]
    made = asked(at_once, rows)
    assert {it["decision"] for it in made} == {"ACCEPT", "REVIEW", "REJECT"}
    single = [one_by_one.post("/predict", {"data": {"features": row}}).json() for row in wire(rows)]
    names = ("probability", "decision", "reasons")
    assert [[it[name] for name in names] for it in single] == [[it[name] for name in names] for it in made]
    assert all(bool(it["reasons"]) == (it["decision"] != "ACCEPT") for it in made)
    assert counted(at_once) == counted(one_by_one)
    assert at_once.get("/meta").json()["review"] == 0.02


def test_others_have_their_turn_many_times_while_a_large_batch_is_decided(
    trained_model: ScoringModel, applicants: Rows
) -> None:
    serving = Api(trained_model).holder.serving
    assert serving is not None
    vectors = np.tile(applicants, (5, 1)).tolist()

    async def turns() -> int:
        batch = asyncio.create_task(answer_batch(serving, vectors, None, RequestContext("r", None)))
        count = 0
        while not batch.done():
            await asyncio.sleep(0)
            count += 1
        return count

    asyncio.run(turns())
    assert asyncio.run(turns()) > 10


def test_a_slice_grows_while_it_is_quick_and_shrinks_when_it_was_too_long() -> None:
    assert next_count(64, SLICE_SECONDS / 4) == 128
    assert next_count(MOST_ROWS, SLICE_SECONDS / 4) == MOST_ROWS
    assert next_count(512, SLICE_SECONDS * 0.7) == 512
    assert next_count(512, SLICE_SECONDS * 2) == 256
    assert next_count(1, SLICE_SECONDS * 2) == 1


def test_an_answer_in_slices_is_the_json_of_the_whole() -> None:
    answered = {"predictions": [{"text": "“ä”", "probability": 1e-07 * at} for at in range(2500)], "threshold": 0.05}
    assert json.loads(asyncio.run(encoded(answered))) == answered


SMALL = """
import sys
from tests.support.fakes import Api, constant_model
api = Api(constant_model(0.3))
assert api.post("/predict/batch", {"data": {"rows": [[0.0] * 11] * %d}}).status_code == 200
sys.exit("numpy" in sys.modules)
"""


def test_numpy_is_only_loaded_for_a_large_batch() -> None:
    for rows, loaded in ((FEWEST_ROWS - 1, 0), (FEWEST_ROWS, 1)):
        assert subprocess.run([sys.executable, "-c", SMALL % rows], cwd=ROOT, check=False).returncode == loaded
