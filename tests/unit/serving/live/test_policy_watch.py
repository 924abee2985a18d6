"""The policy in force follows its file, and a file with a mistake changes nothing but what is told."""

import asyncio
import logging
import os
from pathlib import Path

import httpx
import pytest

from app.policy_file import load_policy
from app.serving.api.schema import Meta, PredictAnswer
from app.serving.live.policy_watch import PolicyWatch
from app.settings import ROOT, DecisionSettings, Settings
from harness.servers import environment_of, running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from tests.support.fakes import Api, cached_model, constant_document, constant_model, json_file, mounted, settings_for

SHIPPED = (ROOT / "configs" / "policy.yaml").read_text()
REQUEST = json_file("request.json")


def with_threshold(threshold: float) -> str:
    return SHIPPED.replace("threshold: 0.05", f"threshold: {threshold}")


class World:
    """The API with a model that gives everybody 0.3, and a watch over a policy file."""

    def __init__(self, folder: Path, fixed: float | None = None) -> None:
        self.file = folder / "policy.yaml"
        self.file.write_text(SHIPPED)
        settings = Settings(decision=DecisionSettings(policy_file=self.file, threshold=fixed))
        self.api = Api(constant_model(0.3), settings)
        self.watch = PolicyWatch(settings, self.api.holder)
        self.look()

    def look(self) -> None:
        asyncio.run(self.watch.step())

    def answer(self) -> PredictAnswer:
        return PredictAnswer.model_validate(self.api.post("/predict", REQUEST).json())

    def meta(self) -> Meta:
        return Meta.model_validate(self.api.get("/meta").json())

    def counted(self, outcome: str) -> float | None:
        return self.api.metrics.registry.get_sample_value("credit_policy_reloads_total", {"outcome": outcome})


def test_a_changed_file_decides_from_the_next_request_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    before = world.answer()
    world.file.write_text(with_threshold(0.4))
    world.look()
    after = world.answer()
    assert (before.decision, before.threshold) == ("REJECT", 0.05)
    assert (after.decision, after.threshold, after.reasons) == ("ACCEPT", 0.4, [])
    assert before.policy_version != after.policy_version == world.meta().policy_version
    assert world.meta().threshold == 0.4
    shown = [sample.labels for it in world.api.metrics.policy_info.collect() for sample in it.samples]
    assert shown == [{"version": after.policy_version}]


def test_a_request_under_way_keeps_the_policy_that_it_began_with(tmp_path: Path) -> None:
    world = World(tmp_path)
    begun = world.api.holder.serving
    world.file.write_text(with_threshold(0.4))
    world.look()
    assert begun is not None
    assert (begun.policy.threshold, begun.decider.decide([0.0] * 11).verdict) == (0.05, "REJECT")


def test_the_model_stays_the_same_and_was_loaded_when_it_was(tmp_path: Path) -> None:
    world = World(tmp_path)
    before = world.api.holder.serving
    world.file.write_text(with_threshold(0.4))
    world.look()
    after = world.api.holder.serving
    assert before is not None
    assert after is not None
    assert (after.model, after.metrics, after.loaded_at) == (before.model, before.metrics, before.loaded_at)


def test_a_model_that_comes_later_is_served_under_the_new_policy(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.file.write_text(with_threshold(0.4))
    world.look()
    world.api.holder.take(constant_model(0.35, "2"))
    assert (world.answer().model_version, world.answer().decision) == ("2", "ACCEPT")


def test_a_comment_more_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    before = world.api.holder.serving
    world.file.write_text(f"{SHIPPED}\n# a remark\n")
    world.look()
    assert world.api.holder.serving is before


@pytest.mark.parametrize(
    ("content", "reason"), [("threshold: 2", "threshold is 2"), (None, "cannot be read: No such file")]
)
def test_a_file_that_cannot_be_used_is_told_and_the_policy_before_it_stays(
    tmp_path: Path, content: str | None, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path)
    before = world.answer()
    if content is None:
        world.file.unlink()
    else:
        world.file.write_text(content)
    with caplog.at_level(logging.INFO):
        world.look()
        world.look()
    told = world.meta().last_policy_reload
    assert world.answer() == before
    assert told is not None
    assert told.outcome == "refused"
    assert reason in (told.reason or "")
    assert world.counted("refused") == 2
    assert [(it.message, it.levelname) for it in caplog.records if it.name.startswith("app")] == [
        ("policy not loaded", "ERROR")
    ]


def test_the_file_as_it_was_makes_good_what_was_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    for content in ("threshold: 2", SHIPPED):
        world.file.write_text(content)
        world.look()
    told = world.meta().last_policy_reload
    assert told is not None
    assert (told.outcome, told.reason) == ("loaded", None)


def test_the_settings_threshold_stays_when_the_file_changes(tmp_path: Path) -> None:
    world = World(tmp_path, fixed=0.35)
    world.file.write_text(with_threshold(0.1).replace("LEGAL_AGE", "MINIMUM_AGE"))
    world.look()
    assert (world.answer().threshold, world.answer().decision) == (0.35, "ACCEPT")
    assert world.counted("loaded") == 2


def test_an_error_that_nobody_thought_of_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    monkeypatch.setattr("app.serving.live.policy_watch.parse_policy", lambda content, settings: 1 / 0)
    world.file.write_text(with_threshold(0.4))
    world.look()
    told = world.meta().last_policy_reload
    assert told is not None
    assert (told.outcome, told.reason) == ("failed", "unexpected ZeroDivisionError; see the log")
    assert world.counted("failed") == 1


def test_without_a_model_the_policy_is_followed_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(with_threshold(0.4))
    api = Api(settings=Settings(decision=DecisionSettings(policy_file=file)))
    file.write_text(SHIPPED)
    asyncio.run(PolicyWatch(api.settings, api.holder).step())
    assert (api.holder.serving, api.holder.policy) == (None, load_policy(Settings()))


def test_a_running_server_takes_a_changed_configmap_up_and_refuses_a_bad_one(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tracking_uri="http://127.0.0.1:9")
    cached_model(settings, constant_document(0.3))
    mounted(tmp_path / "configs", "policy.yaml", "first", SHIPPED)
    environment = environment_of(settings) | {"DECISION__POLICY_FILE": str(tmp_path / "configs" / "policy.yaml")}
    with running_server(environment, tmp_path / "log") as server:
        server.wait_ready()

        def decision() -> str:
            return str(httpx.post(f"{server.url}/predict", json=REQUEST, timeout=PATIENCE_SECONDS).json()["decision"])

        def meta() -> Meta:
            return Meta.model_validate(httpx.get(f"{server.url}/meta", timeout=PATIENCE_SECONDS).json())

        assert decision() == "REJECT"
        mounted(tmp_path / "configs", "policy.yaml", "second", with_threshold(0.4))
        wait_until(meta, lambda told: told.threshold == 0.4)
        assert decision() == "ACCEPT"
        mounted(tmp_path / "configs", "policy.yaml", "third", "threshold: 2")
        wait_until(
            meta, lambda told: told.last_policy_reload is not None and told.last_policy_reload.reason is not None, 20
        )
        assert (decision(), meta().threshold) == ("ACCEPT", 0.4)
        assert os.readlink(tmp_path / "configs" / "..data") == "third"
