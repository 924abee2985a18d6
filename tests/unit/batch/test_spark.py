"""What Spark's executors call, without Spark: plain text that travels, and the bits of `credit batch`."""

import pickle
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pytest

from app.batch.chunks import Chunk
from app.batch.deciding import deciding
from app.batch.spark import SparkDecisions
from app.errors import DataInvalid
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel
from app.settings import Settings
from app.training.data import load
from harness.fields import CONTRACT, FEATURES, PLAIN
from tests.support.fakes import constant_model
from tests.support.records import policy_of_tests

SAMPLE = load(Settings())


@pytest.fixture
def decider(trained_model: ScoringModel) -> Decider:
    return Decider(trained_model, policy_of_tests())


def partition(count: int) -> pa.RecordBatch:
    """Applicants with the columns in another order, an id and one column that nobody asked for."""
    rows = SAMPLE.features[:count]
    columns = {name: pa.array(rows[:, at], from_pandas=True) for at, name in enumerate(FEATURES)}
    ids = pa.array([f"A-{number}" for number in range(count)])
    return pa.RecordBatch.from_pydict({"branch": ids, **dict(reversed(columns.items())), "application_id": ids})


@pytest.mark.parametrize("reasons", [True, False])
def test_batches_that_travelled_are_decided_as_by_credit_batch(decider: Decider, reasons: bool) -> None:
    decisions = pickle.loads(pickle.dumps(SparkDecisions.of(decider, "application_id", reasons)))
    batch = partition(300)

    def batches() -> Iterator[pa.RecordBatch]:
        yield from (batch.slice(0, 100), batch.slice(0, 0), batch.slice(100))

    found = pa.Table.from_batches(list(decisions(batches())))
    expected = deciding(decider, reasons)(Chunk(batch["application_id"], SAMPLE.wire[:300], 0)).columns
    assert found.column_names == ["id", *expected]
    assert found["id"].to_pylist() == batch["application_id"].to_pylist()
    for name, column in expected.items():
        assert found[name].to_pylist() == column.to_pylist()
    described = [it.split()[0] for it in decisions.schema("string").split(", ")]
    assert described == found.column_names


def test_rows_with_a_fault_are_refused_without_their_values(decider: Decider) -> None:
    batch = partition(3)
    wrong = batch.set_column(batch.schema.get_field_index("age"), "age", pa.array([40.0, -7654.0, 30.0]))
    with pytest.raises(DataInvalid, match=r"the rows of a partition: .*age") as refused:
        list(SparkDecisions.of(decider, "application_id")(iter([wrong])))
    assert "7654" not in str(refused.value)
    with pytest.raises(DataInvalid, match="column nobody is not there"):
        list(SparkDecisions.of(decider, "nobody")(iter([batch])))


def test_a_model_that_takes_the_rows_number_is_refused() -> None:
    model = constant_model(0.3)
    numbered = CONTRACT.with_factors([*PLAIN.factors, replace(PLAIN.factors[0], name="n", expression="row_number")])
    document = replace(model.document, contract=numbered, reference=None)
    with pytest.raises(DataInvalid, match="the row's number, which Spark has not"):
        SparkDecisions.of(Decider(ScoringModel(document, model.scorer), policy_of_tests()), "id")
