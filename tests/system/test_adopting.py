"""Past the gate and back: an alias moved by hand, models trained elsewhere, and what a server makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from threadpoolctl import threadpool_limits

from app.promotion.adopting import adopt
from app.promotion.judging import promote
from app.registry.aliases import versions
from app.settings import MlflowSettings, ServingSettings, Settings
from app.training.data import load
from app.training.fit import fit_candidate
from harness.registries import Registry, constant_classifier, log_unjudged, running_registry
from harness.servers import Server, audit_in, environment_of, log_lines, running_server
from harness.waiting import PATIENCE_SECONDS, wait_until

RISKY = [0, 9.5, 24, 5, 3.0, 400, 30, 9, 0, 4, 6]


@dataclass(frozen=True, slots=True)
class World:
    """A registry with models that nobody judged, and a server that follows its alias."""

    registry: Registry
    server: Server
    settings: Settings

    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.server.url}/meta", timeout=30).json()
        return found

    def wait_for_reason(self, text: str) -> dict[str, Any]:
        return wait_until(
            self.meta,
            lambda it: text in ((it["last_reload"] or {})["reason"] or ""),
            PATIENCE_SECONDS,
            f"to be told {text!r}",
        )

    def wait_for_version(self, version: str) -> dict[str, Any]:
        return wait_until(
            self.meta,
            lambda it: it["model_version"] == version and not it["stale"],
            PATIENCE_SECONDS,
            f"version {version}",
        )

    def decide(self, features: list[float]) -> dict[str, Any]:
        answer = httpx.post(f"{self.server.url}/predict", json={"data": {"features": features}}, timeout=30)
        assert answer.status_code == 200, answer.text
        decided: dict[str, Any] = answer.json()
        return decided

    def told(self) -> list[str]:
        """The reasons in the log why a model was not loaded, in their order."""
        return [str(line["reason"]) for line in log_lines(self.server.log) if line.get("message") == "model not loaded"]


@pytest.fixture
def world(tmp_path: Any) -> Iterator[World]:
    """Versions 1 and 2 differ in their seed; version 3 gives everybody one probability."""
    with running_registry(tmp_path) as registry:
        serving = ServingSettings(cache_dir=tmp_path / "served", poll_seconds=0.2)
        settings = Settings(mlflow=MlflowSettings(tracking_uri=registry.url), serving=serving, audit=audit_in(tmp_path))
        dataset = load(settings)
        with threadpool_limits(limits=1):
            for seed in (1, 2):
                log_unjudged(registry.settings, fit_candidate(dataset, seed), columns=dataset.contract.factor_names)
        log_unjudged(registry.settings, constant_classifier(20))
        with running_server(environment_of(settings), tmp_path / "log") as server:
            yield World(registry, server, settings)


def test_an_alias_moved_past_the_gate_is_followed_once_the_version_has_been_judged(world: World) -> None:
    by_hand, here = world.registry.let, world.registry.settings

    # The first model, named by hand: none serves, and who asks is told what to do.
    by_hand("production", "1")
    world.wait_for_reason("credit registry adopt 1")
    refused = httpx.get(f"{world.server.url}/readyz", timeout=30)
    assert (refused.status_code, "credit registry adopt 1" in refused.text) == (503, True)
    adopted = adopt("1", here)
    assert adopted.passed, adopted.reasons
    told = world.wait_for_version("1")
    assert told["figures"]["roc_auc"] == adopted.figures["roc_auc"]
    assert told["digest"] == adopted.digest
    reasons = [reason["feature"] for reason in world.decide(RISKY)["reasons"]]
    assert len(reasons) > 1
    assert None not in reasons

    # Another one, moved by hand: the one before serves on, and page, log and counter say so.
    by_hand("production", "2")
    told = world.wait_for_reason("credit registry adopt 2")
    assert (told["model_version"], told["stale"], told["last_reload"]["outcome"]) == ("1", True, "refused")
    assert world.decide(RISKY)["model_version"] == "1"
    assert "credit registry adopt 2" in world.told()[-1]
    metrics = httpx.get(f"{world.server.url}/metrics", timeout=30).text
    assert 'credit_model_reloads_total{outcome="refused"}' in metrics
    # Its files are gone, which only a pull would miss: the document is enough.
    world.registry.file_of("1").unlink()
    assert adopt("2", here).passed
    world.registry.file_of("2").unlink()
    world.wait_for_version("2")

    # One that the gate refuses stays out, whoever names it; promoting the one before leads back.
    by_hand("production", "3")
    world.wait_for_reason("credit registry adopt 3")
    judged = adopt("3", here)
    assert not judged.passed
    assert any("ROC AUC 0.5000 is below the floor" in reason for reason in judged.reasons)
    told = world.wait_for_reason("was refused by the gate")
    assert told["model_version"] == "2"
    assert promote("2", "production", here).passed
    world.wait_for_version("2")

    listed = {it.version: it for it in versions(here)}
    assert [(number, listed[number].gate) for number in "123"] == [("1", "passed"), ("2", "passed"), ("3", "refused")]
    assert listed["2"].aliases == ["production"]
    assert listed["2"].figures["roc_auc"] > 0.8
