"""Files are scored once, whole, and as the API answers."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.batch.job import Job, Options, Scored, share_of
from app.batch.output import output_folder
from app.errors import DataInvalid
from app.policy_file import load_policy
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel
from app.settings import Settings
from app.tables.find import find
from harness.fields import FEATURES
from tests.support.fakes import Api, constant_document, constant_model

POLICY = load_policy(Settings())


class Work:
    """A folder of inputs and one of outputs."""

    def __init__(self, folder: Path, s3_endpoint_url: str = "", output: str = "") -> None:
        self.folder = folder
        self.endpoint = s3_endpoint_url
        self.output = output or str(folder / "out")
        self.bytes_done = 0

    def score(
        self,
        name: str,
        model: ScoringModel,
        reasons: bool = True,
        threshold: float = 0.05,
        review: float | None = None,
    ) -> Scored:
        decider = Decider(model, replace(POLICY, threshold=threshold, review=review))
        job = Job(decider, output_folder(self.output, self.endpoint), Options(reasons, None))
        (file,) = find(str(self.folder / name), "")
        return job.score(file, self._progress)

    def _progress(self, size: int) -> None:
        self.bytes_done += size

    def result(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(Path(self.output) / f"{name}.decisions.parquet")


@pytest.fixture
def work(tmp_path: Path, table: pd.DataFrame) -> Work:
    for name in ("a.csv", "b.csv"):
        table.to_csv(tmp_path / name, index=False, na_rep="NA")
    return Work(tmp_path)


def online(api: Api, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The answers to the same rows, large batch and single requests, which have to be equal."""
    rows = [
        [0, *(None if math.isnan(it) else it for it in row)] for row in table[list(FEATURES)].to_numpy(float).tolist()
    ]
    batch = api.post("/predict/batch", {"data": {"rows": rows}}).json()["predictions"]
    for row, answer in list(zip(rows, batch, strict=True))[::25]:
        single = api.post("/predict", {"data": {"features": row}}).json()
        assert {name: single[name] for name in answer} == answer
    return list(batch)


def test_a_file_is_decided_on_as_the_api_answers_to_the_last_bit(
    work: Work, table: pd.DataFrame, trained_model: ScoringModel
) -> None:
    api = Api(trained_model)
    answers = online(api, table)
    scored = work.score("a.csv", trained_model)
    made = work.result("a.csv")
    assert made["probability"].tolist() == [it["probability"] for it in answers]
    assert made["decision"].tolist() == [it["decision"] for it in answers]
    assert [list(it) for it in made["reasons"]] == [[reason["code"] for reason in it["reasons"]] for it in answers]
    assert [list(it) for it in made["out_of_range"]] == [it["out_of_range"] for it in answers]
    assert set(made["model_version"]) == {"1"}
    assert set(made["policy_version"]) == {POLICY.version}
    refused = sum(it["decision"] == "REJECT" for it in answers)
    assert scored == Scored(len(table), refused, 0, skipped=False)
    assert 0 < refused < len(table)
    assert made["id"].astype(int).tolist() == list(range(1, len(table) + 1))


def test_what_goes_to_a_person_is_told_and_counted(work: Work, trained_model: ScoringModel) -> None:
    scored = work.score("a.csv", trained_model, review=0.02)
    verdicts = work.result("a.csv")["decision"]
    assert scored.to_review == (verdicts == "REVIEW").sum() > 0
    assert scored.refused == (verdicts == "REJECT").sum() > 0
    assert work.score("a.csv", trained_model, review=0.02) == replace(scored, skipped=True)
    assert not work.score("a.csv", trained_model).skipped


@pytest.mark.parametrize("compiled", [True, False])
def test_what_no_training_saw_is_named_as_in_the_answer(
    work: Work, table: pd.DataFrame, trained_model: ScoringModel, compiled: bool
) -> None:
    strange = table.assign(age=table["age"].astype(float))
    strange.loc[::50, "age"] = 150.0
    strange.loc[::100, "MonthlyIncome"] = 1e9
    strange.to_csv(work.folder / "a.csv", index=False)
    model = trained_model if compiled else replace(trained_model, scorer_log_odds=None)
    answers = online(Api(model), strange)
    work.score("a.csv", model)
    found = [list(it) for it in work.result("a.csv")["out_of_range"]]
    assert found == [it["out_of_range"] for it in answers]
    assert found[:1] == [["age", "MonthlyIncome"]]
    assert [] in found


def test_a_model_that_is_asked_row_by_row_gives_the_same_columns(work: Work, table: pd.DataFrame) -> None:
    document = replace(constant_document(0.5), spec={"kind": "uncompiled"})
    slow = ScoringModel(document, lambda inputs: 0.2 if inputs[0] > 0.5 else 0.01)
    answers = online(Api(slow), table)
    work.score("a.csv", slow)
    made = work.result("a.csv")
    assert made["probability"].tolist() == [it["probability"] for it in answers]
    assert [list(it) for it in made["reasons"]] == [[reason["code"] for reason in it["reasons"]] for it in answers]
    work.score("b.csv", constant_model(0.2))
    assert work.result("b.csv").dtypes.to_dict() == made.dtypes.to_dict()


def test_without_reasons_there_is_no_column_for_them(work: Work) -> None:
    work.score("a.csv", constant_model(0.2), reasons=False)
    columns = ["id", "probability", "decision", "out_of_range", "model_version", "policy_version"]
    assert list(work.result("a.csv").columns) == columns


def test_what_is_scored_is_not_scored_again_until_something_changes(work: Work, table: pd.DataFrame) -> None:
    first = work.score("a.csv", constant_model(0.2))
    assert not first.skipped
    assert work.score("a.csv", constant_model(0.2)) == replace(first, skipped=True)
    assert work.bytes_done == pytest.approx(2 * (work.folder / "a.csv").stat().st_size, rel=0.01)
    assert not work.score("a.csv", constant_model(0.2, version="2")).skipped
    assert not work.score("a.csv", constant_model(0.2)).skipped
    assert not work.score("a.csv", constant_model(0.2), threshold=0.3).skipped
    assert not work.score("a.csv", constant_model(0.2), threshold=0.3, reasons=False).skipped
    table.head(10).to_csv(work.folder / "a.csv", index=False)
    assert work.score("a.csv", constant_model(0.2), threshold=0.3, reasons=False).rows == 10


def test_an_output_with_other_columns_is_made_again(work: Work) -> None:
    work.score("a.csv", constant_model(0.2))
    path = Path(work.output) / "a.csv.decisions.json"
    manifest = json.loads(path.read_text())
    manifest["made_from"]["columns"].remove("out_of_range")
    path.write_text(json.dumps(manifest))
    assert not work.score("a.csv", constant_model(0.2)).skipped


@pytest.mark.parametrize("lost", ["a.csv.decisions.parquet", "a.csv.decisions.json"])
def test_an_output_without_its_manifest_or_the_other_way_round_is_made_again(work: Work, lost: str) -> None:
    work.score("a.csv", constant_model(0.2))
    (Path(work.output) / lost).unlink()
    assert not work.score("a.csv", constant_model(0.2)).skipped


def test_the_manifest_says_what_made_the_output(work: Work) -> None:
    work.score("a.csv", constant_model(0.2))
    manifest = json.loads((Path(work.output) / "a.csv.decisions.json").read_text())
    assert manifest["made_from"]["model"]["uri"] == "models:/credit-default-model/1"
    assert manifest["made_from"]["policy_version"] == POLICY.version
    assert (manifest["rows"], manifest["refused"]) == (500, 500)


def test_a_bad_row_in_the_last_chunk_leaves_no_output(work: Work, table: pd.DataFrame) -> None:
    large = pd.concat([table] * 200, ignore_index=True).astype({"age": float})
    large.loc[len(large) - 1, "age"] = np.inf
    large.to_csv(work.folder / "a.csv", index=False, na_rep="NA")
    with pytest.raises(DataInvalid, match=r"a\.csv: column age is infinite in line 100001"):
        work.score("a.csv", constant_model(0.2))
    assert list(Path(work.output).iterdir()) == []


def test_outputs_go_to_a_bucket_too(work: Work, s3_endpoint_url: str, table: pd.DataFrame) -> None:
    work.output, work.endpoint = "s3://datasets/decisions", s3_endpoint_url
    assert work.score("a.csv", constant_model(0.2)).rows == len(table)
    assert work.score("a.csv", constant_model(0.2)).skipped
    found = [file.name for file in find("s3://datasets/decisions/*", s3_endpoint_url)]
    assert found == ["a.csv.decisions.json", "a.csv.decisions.parquet"]


def test_the_shares_of_all_workers_are_the_files_once_each(work: Work) -> None:
    files = find(str(work.folder / "*.csv"), "") * 5
    shares = [share_of(files, index, 3) for index in range(3)]
    assert sorted(file.name for share in shares for file in share) == sorted(file.name for file in files)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
