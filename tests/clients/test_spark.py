"""In Spark, two executors that have no MLflow decide by the bits that everybody else gets."""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.batch.chunks import Chunk
from app.batch.deciding import deciding
from app.batch.spark import SparkDecisions
from app.policy_file import load_policy
from app.scoring.decider import Decider
from app.scoring.model import ModelDocument, ScoringModel
from app.settings import ROOT, Settings
from app.training.data import load
from loadtests.bench.environments import NotInstalled, programs_of
from tests.clients.test_generated import ran
from tests.system.conftest import Store

pytestmark = pytest.mark.clients


@pytest.fixture
def decider(store: Store) -> Decider:
    """Of the trained model, from its document."""
    (document,) = store.folder.rglob("document.json")
    model = ScoringModel.compiled(ModelDocument.from_json(json.loads(document.read_text())))
    return Decider(model, load_policy(Settings()))


def test_two_executors_decide_as_credit_batch_does(
    decider: Decider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is no java on PATH")
    try:
        programs = programs_of("spark")
    except NotInstalled as error:
        pytest.skip(f"pyspark cannot be installed: {error}")
    dataset = load(Settings())
    ids = pa.array([f"A-{number}" for number in range(len(dataset))])
    fields = zip(dataset.contract.asked_names, dataset.features.T, strict=True)
    columns = {name: pa.array(values, from_pandas=True) for name, values in fields}
    (tmp_path / "applicants").mkdir()
    applicants, half = pa.table({"application_id": ids, **columns}), len(dataset) // 2
    for name, rows in {"one": applicants.slice(0, half), "two": applicants.slice(half)}.items():
        pq.write_table(rows, tmp_path / "applicants" / f"{name}.parquet")
    described = tmp_path / "decisions.json"
    described.write_text(json.dumps(asdict(SparkDecisions.of(decider, "application_id"))))
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(ROOT))
    command: list[str | Path] = [
        programs / "python",
        "-m",
        "loadtests.spark_batch",
        described,
        tmp_path / "applicants",
        tmp_path / "out",
    ]
    told = json.loads(ran(*command, folder=tmp_path).splitlines()[-1])
    assert (told["rows"], told["executors"], told["mlflow"]) == (len(dataset), 2, False)
    found = pq.read_table(tmp_path / "out").sort_by("id")
    expected = deciding(decider, True)(Chunk(ids, dataset.wire, 0)).columns
    wanted = pa.table({"id": ids, **{name: column.cast(found[name].type) for name, column in expected.items()}})
    assert found.cast(wanted.schema).equals(wanted.sort_by("id"))
