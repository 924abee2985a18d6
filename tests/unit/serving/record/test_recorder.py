"""Every answered decision is kept before it is answered, with what it takes to make it again; nothing else is."""

import json
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings as trials, strategies as st

from app.audit.chain import Entry
from app.audit.journal.writer import Journal
from app.callers.known import Callers
from app.metrics import Metrics
from app.policy_file import load_policy
from app.scoring.policy import Policy
from app.serving.api.schema import BatchAnswer, PredictAnswer, Problem
from app.serving.record.recorder import Recorder
from app.settings import Settings
from app.times import microseconds
from harness.servers import audit_in
from tests.support.fakes import Api, caller, constant_model, json_file, settings_for
from tests.support.journals import chains, keys

REQUEST = json_file("request.json")
ROW = REQUEST["data"]["features"]
MISSING = [7, 0.5, 30, 0, 0.4, None, 5, 0, 1, 0, None]
SHIPPED = load_policy(Settings())
OTHER = Policy.from_json(SHIPPED.to_json() | {"threshold": 0.4})


def kept(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The contents of that kind, writer by writer."""
    links = [link for links in chains(folder).values() for link in links if link.kind == kind]
    return [link.fields for link in links]


class World:
    """The API that keeps its decisions in a folder of the test's."""

    def __init__(self, folder: Path, probability: float = 0.3, callers: Callers | None = None, **audit: Any) -> None:
        settings = settings_for(folder)
        settings = settings.model_copy(update={"audit": audit_in(folder, **audit)})
        self.folder = settings.audit.journal_dir
        self.api = Api(constant_model(probability, "7"), settings, callers, recorded=True)

    def sample(self, name: str) -> float | None:
        return self.api.metrics.registry.get_sample_value(name)

    def decisions(self) -> list[dict[str, Any]]:
        return kept(self.folder, "decision")


def test_a_decision_is_kept_under_the_id_that_the_answer_and_its_header_name(tmp_path: Path) -> None:
    world = World(tmp_path)
    answer = world.api.post("/predict", REQUEST, headers={"X-Request-ID": "asked-once"})
    told = PredictAnswer.model_validate(answer.json())
    (decision,) = world.decisions()
    assert UUID(told.decision_id).version == 7
    assert answer.headers["X-Decision-ID"] == told.decision_id == decision["key"]
    assert decision["request_id"] == answer.headers["X-Request-ID"] == "asked-once"


def test_a_trace_that_the_client_names_is_kept(tmp_path: Path) -> None:
    world, trace_id = World(tmp_path), "4bf92f3577b34da6a3ce929d0e0e4736"
    named = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    world.api.post("/predict", REQUEST, headers=named)
    world.api.post("/predict", REQUEST)
    world.api.post("/predict/batch", {"data": {"rows": [MISSING]}}, headers=named)
    assert [it.get("trace_id") for it in world.decisions()] == [trace_id, None, trace_id]


def test_a_record_holds_what_it_takes_to_decide_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    told = world.api.post("/predict", {"data": {"features": MISSING}}).json()
    (decision,) = world.decisions()
    document = world.api.holder.serving.model.document if world.api.holder.serving else None
    assert document is not None
    identity = document.identity
    assert {name: decision[name] for name in ("row", "caller", "features", "model", "policy_version")} == {
        "row": None,
        "caller": None,
        "features": [0.5, 30.0, 0.0, 0.4, None, 5.0, 0.0, 1.0, 0.0, None],
        "model": {"name": identity.name, "version": "7", "uri": identity.uri, "digest": identity.digest},
        "policy_version": SHIPPED.version,
    }
    for name in ("probability", "decision", "reasons"):
        assert decision[name] == told[name]
    (policy,) = kept(world.folder, "policy")
    assert (policy["key"], Policy.from_json(policy["policy"])) == (SHIPPED.version, SHIPPED)
    assert policy["sequence"] < decision["sequence"]


def test_the_caller_is_in_the_record(tmp_path: Path) -> None:
    world = World(tmp_path, callers=Callers((caller("branch-office", "cdk_office", "predict"),)))
    for path, body in (("/predict", REQUEST), ("/predict/batch", {"data": {"rows": [REQUEST["data"]["features"]]}})):
        world.api.post(path, body, {"Authorization": "Bearer cdk_office"})
    assert [it["caller"] for it in world.decisions()] == ["branch-office", "branch-office"]


def test_each_row_of_a_batch_is_a_record_of_its_own(tmp_path: Path) -> None:
    world = World(tmp_path)
    answer = world.api.post("/predict/batch", {"data": {"rows": [ROW, MISSING, ROW]}})
    told = BatchAnswer.model_validate(answer.json())
    assert "X-Decision-ID" not in answer.headers
    assert [(it["row"], it["key"]) for it in world.decisions()] == [
        (index, it.decision_id) for index, it in enumerate(told.predictions)
    ]
    assert len({it["request_id"] for it in world.decisions()}) == 1
    assert world.sample("credit_journal_records_total") == 4


def test_what_is_refused_is_not_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    for case in json_file("bad_requests.json"):
        body = case["body"].encode("latin-1").ljust(case.get("pad_to_bytes", 0))
        headers = {} if case["content_type"] is None else {"Content-Type": case["content_type"]}
        assert world.api.request("POST", case["path"], content=body, headers=headers).status_code == case["status"]
    assert not world.folder.exists()


def test_where_nothing_is_kept_an_answer_has_no_id(tmp_path: Path) -> None:
    world = World(tmp_path, enabled=False)
    answer = world.api.post("/predict", REQUEST)
    assert (answer.json()["decision_id"], "X-Decision-ID" in answer.headers) == (None, False)
    assert world.api.post("/predict/batch", {"data": {"rows": [ROW]}}).json()["predictions"][0]["decision_id"] is None
    assert not world.folder.exists()


@pytest.mark.parametrize(("path", "body"), [("/predict", REQUEST), ("/predict/batch", {"data": {"rows": [ROW] * 3}})])
def test_a_decision_that_cannot_be_kept_is_not_made(
    tmp_path: Path, path: str, body: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path)
    world.folder.write_text("in the way")
    with caplog.at_level(logging.INFO):
        answers = [world.api.post(path, body) for _ in range(2)]
        world.folder.unlink()
        assert world.api.post(path, body).status_code == 200
    told = Problem.model_validate(answers[0].json())
    assert [(it.status_code, it.headers["Retry-After"]) for it in answers] == [(503, "5")] * 2
    assert "cannot be kept" in told.detail
    assert str(tmp_path) not in answers[0].text
    rows = 1 if path == "/predict" else 3
    counted = world.api.metrics.decisions.labels("REJECT", "7")
    assert (world.sample("credit_journal_failures_total"), counted._value.get()) == (2 * rows, rows)
    said = [(it.levelname, it.message) for it in caplog.records if it.name == "app.serving.record.recorder"]
    assert said == [("ERROR", "decisions cannot be kept"), ("INFO", "decisions are kept again")]


def test_where_serving_matters_more_the_answer_goes_out_without_an_id(tmp_path: Path) -> None:
    world = World(tmp_path, on_failure="serve")
    world.folder.write_text("in the way")
    answer = world.api.post("/predict", REQUEST)
    rows = world.api.post("/predict/batch", {"data": {"rows": [ROW] * 3}}).json()["predictions"]
    assert (answer.status_code, answer.json()["decision_id"], answer.json()["decision"]) == (200, None, "REJECT")
    assert "X-Decision-ID" not in answer.headers
    assert [it["decision_id"] for it in rows] == [None] * 3
    assert world.sample("credit_journal_failures_total") == 4


def test_a_failure_to_score_keeps_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    scorer = world.api.holder.serving.model.scorer if world.api.holder.serving else None
    assert scorer is not None

    def failing(inputs: Any) -> float:
        if inputs[0] == 99.0:
            raise ArithmeticError
        return scorer(inputs)

    document = constant_model(0.3, "8").document
    world.api.holder.take(type(constant_model(0.3))(document, failing))
    bad = [0, 99, *ROW[2:]]
    assert world.api.post("/predict/batch", {"data": {"rows": [ROW, bad]}}).status_code == 500
    assert not world.folder.exists()


class Keeping:
    """A recorder with a clock of the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = microseconds("2026-01-31T23:59:59.000000Z")
        self.journal = Journal(folder, 10**9)
        self.recorder = Recorder(self.journal, "refuse", Metrics(0.05), {}, clock=lambda: self.now)

    def keep(self, policy: Policy) -> None:
        decision = Entry("decision", self.recorder._ids.next(), self.now, {"policy_version": policy.version})
        assert self.recorder.keep(policy, [decision])

    def policies(self) -> list[tuple[str, str]]:
        return [(it["key"], it["at"][:7]) for it in kept(self.folder, "policy")]


def test_a_policy_is_kept_before_its_first_decision_and_again_in_each_month(tmp_path: Path) -> None:
    world = Keeping(tmp_path)
    world.keep(SHIPPED)
    world.keep(SHIPPED)
    world.keep(OTHER)
    world.keep(SHIPPED)
    world.now += 2_000_000
    world.keep(SHIPPED)
    assert world.policies() == [(SHIPPED.version, "2026-01"), (OTHER.version, "2026-01"), (SHIPPED.version, "2026-02")]


def test_a_policy_that_could_not_be_kept_is_kept_with_the_next_decision(tmp_path: Path) -> None:
    world = Keeping(tmp_path / "journal")
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(Exception, match="journal"):
        world.keep(SHIPPED)
    (tmp_path / "journal").unlink()
    world.keep(SHIPPED)
    assert world.policies() == [(SHIPPED.version, "2026-01")]


@trials(deadline=None)
@given(st.lists(st.tuples(st.integers(-70 * 86_400, 70 * 86_400), st.sampled_from([SHIPPED, OTHER])), max_size=15))
def test_whatever_the_clock_does_ids_grow_the_chain_holds_and_each_month_has_its_policies(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, Policy]]
) -> None:
    world = Keeping(tmp_path_factory.mktemp("journal"))
    for seconds, policy in steps:
        world.now += seconds * 1_000_000
        world.keep(policy)
    found = keys(world.folder, "decision")
    assert found == sorted(set(found))
    assert len(found) == len(steps)
    policies = set()
    for links in chains(world.folder).values():
        for link in links:
            month = json.loads(link.content)["at"][:7]
            if link.kind == "policy":
                policies.add((link.key, month))
            else:
                assert (link.fields["policy_version"], month) in policies
