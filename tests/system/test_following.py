"""A new model in production without anyone noticing: real registry, real server, real requests all the while."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import MlflowSettings, ServingSettings, Settings
from harness.registries import NAME, Registry, log_cut_off, log_untrusted, running_registry
from harness.servers import Server, audit_in, environment_of, running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from tests.support.commands import credit
from tests.support.traffic import Traffic, steady_traffic

URI = f"models:/{NAME}@production"
DEFAULTS = {"1": 4, "2": 20}
"""Of 200 rows, by version: each version gives everybody another probability."""
PROBABILITIES = {version: defaults / 200 for version, defaults in DEFAULTS.items()}
CORRUPT, UNTRUSTED = "3", "4"
"""Longer than a pull may take here: it gives way to all that keeps the machine busy."""
MOVES = 20


@dataclass(frozen=True, slots=True)
class World:
    """A registry, and a server that follows it."""

    registry: Registry
    server: Server
    settings: Settings

    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.server.url}/meta", timeout=10).json()
        return found

    def wait(self, what: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return wait_until(self.meta, holds, PATIENCE_SECONDS, what)

    def promote(self, version: str) -> None:
        """Move the alias and wait until that version serves."""
        self.registry.let("production", version)
        self.wait(f"version {version} to serve", lambda it: it["model_version"] == version and not it["stale"])

    def metric(self, name: str) -> float:
        text = httpx.get(f"{self.server.url}/metrics", timeout=10).text
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))

    @contextmanager
    def traffic(self) -> Iterator[Traffic]:
        """What serves has answered before anything moves."""
        with steady_traffic(self.server.url, PROBABILITIES, URI) as traffic:
            wait_until(lambda: traffic.answered, lambda it: it > 0, what="the first answer")
            yield traffic

    def assert_unharmed(self, traffic: Traffic, *versions: str) -> None:
        """Nothing failed, nothing was mixed, nothing restarted; and those versions are the ones that answered."""
        assert (traffic.failed, traffic.mixed) == ([], [])
        assert traffic.answered > 0
        assert traffic.versions == set(versions)
        assert self.server.process.poll() is None


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Two good versions, one whose file is cut off, and one with a type that runs code when it is read."""
    with running_registry(tmp_path_factory.mktemp("registry")) as found:
        for version, defaults in DEFAULTS.items():
            assert found.add(defaults) == version
        assert log_cut_off(found.settings) == CORRUPT
        assert log_untrusted(found.settings) == UNTRUSTED
        found.let("production", "1")
        yield found


@pytest.fixture(scope="module")
def settings(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("server")
    serving = ServingSettings(cache_dir=folder / "cache", poll_seconds=0.2, pull_timeout_seconds=PATIENCE_SECONDS - 30)
    return Settings(mlflow=MlflowSettings(tracking_uri=registry.url), serving=serving, audit=audit_in(folder))


@pytest.fixture(scope="module")
def running(registry: Registry, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    log = tmp_path_factory.mktemp("log") / "server.log"
    with running_server(environment_of(settings), log) as server:
        yield World(registry, server, settings)


@pytest.fixture
def world(running: World) -> World:
    """Version 1 serves."""
    running.promote("1")
    return running


def test_a_promotion_costs_no_request(world: World) -> None:
    with world.traffic() as traffic:
        world.promote("2")
        wait_until(lambda: traffic.versions, lambda it: "2" in it, what="an answer of version 2")
    world.assert_unharmed(traffic, "1", "2")


def test_a_rollback_needs_neither_a_download_nor_the_artifact(world: World) -> None:
    world.promote("2")
    path = world.registry.file_of("1")
    away = path.rename(path.with_suffix(".away"))
    with world.traffic() as traffic:
        world.promote("1")
        wait_until(lambda: traffic.versions, lambda it: "1" in it, what="an answer of version 1")
    away.rename(path)
    world.assert_unharmed(traffic, "1", "2")


@pytest.mark.parametrize(
    ("version", "reason"), [(CORRUPT, "not a readable skops file"), (UNTRUSTED, "types that are not trusted")]
)
def test_a_bad_model_is_refused_once_and_the_good_one_serves_on(world: World, version: str, reason: str) -> None:
    attempts = world.metric("credit_model_reloads_total")
    with world.traffic() as traffic:
        world.registry.let("production", version)
        told = world.wait("a refusal", lambda it: reason in (it["last_reload"]["reason"] or ""))
        asked = traffic.answered
        wait_until(lambda: traffic.answered, lambda it: it > asked + 50, what="more answers")
    world.assert_unharmed(traffic, "1")
    assert told["last_reload"]["outcome"] == "refused"
    assert (told["model_version"], told["stale"], told["registry"]["up"]) == ("1", True, True)
    assert world.metric("credit_model_reloads_total") == attempts + 1


def test_an_alias_that_moves_twenty_times_ends_where_it_ends(world: World) -> None:
    world.promote("2")
    with world.traffic() as traffic:
        for move in range(MOVES):
            world.registry.let("production", str(1 + move % 2))
        world.promote("1")
    world.assert_unharmed(traffic, "1", "2")


def test_a_challenger_is_compared_and_never_answers(world: World) -> None:
    world.registry.let("challenger", "2")
    with world.traffic() as traffic:
        world.wait("a challenger", lambda it: it["challenger"]["model_version"] == "2")
        name = "credit_challenger_score_difference_count"
        wait_until(lambda: world.metric(name), lambda it: it > 20, what="comparisons")
    world.assert_unharmed(traffic, "1")
    assert world.metric("credit_challenger_disagreements_total") > 0
    world.registry.remove("challenger")
    world.wait("no challenger", lambda it: it["challenger"]["model_version"] is None)


def test_while_the_registry_is_gone_nothing_is_missed_and_a_new_start_serves_what_served_last(
    world: World, tmp_path: Path
) -> None:
    with world.traffic() as traffic:
        world.registry.stop()
        told = world.wait("the registry to be missed", lambda it: it["registry"]["up"] is False)
        assert (told["model_version"], told["stale"]) == ("1", True)
        with running_server(environment_of(world.settings), tmp_path / "log") as server:
            server.wait_ready()
            second = World(world.registry, server, world.settings)
            with second.traffic() as seconds_traffic:
                told = second.wait("the registry to be missed", lambda it: it["registry"] is not None)
                wait_until(lambda: seconds_traffic.answered, lambda it: it > 50, what="answers")
            second.assert_unharmed(seconds_traffic, "1")
            assert (told["registry"]["up"], told["stale"]) == (False, True)
            assert second.metric("credit_model_stale") == 1
            world.registry.start()
            second.wait("the model to be confirmed", lambda it: it["registry"]["up"] and not it["stale"])
        world.promote("2")
        wait_until(lambda: traffic.versions, lambda it: "2" in it, what="an answer of version 2")
    world.assert_unharmed(traffic, "1", "2")
    assert world.metric("credit_registry_up") == 1


LENIENT = {
    "DECISION__THRESHOLD": "0.5",
    "TRAIN__GATE__MIN_ROC_AUC": "0.5",
    "TRAIN__GATE__MAX_CALIBRATION_ERROR": "0.1",
}
"""A gate that version 2 passes, and version 3 would not: a tenth of the sample is nearer to its rate of default."""


def test_by_hand_versions_are_listed_compared_judged_promoted_and_rolled_back(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (environment_of(world.settings) | LENIENT | {"DATA": ""}).items():
        monkeypatch.setenv(name, value)

    def by_hand(*arguments: str) -> str:
        capsys.readouterr()
        code = credit("registry", *arguments)
        told = capsys.readouterr()
        assert code == 0, told
        return told.out

    with world.traffic() as traffic:
        assert re.search(r"^1 +production ", by_hand("list", "--context", "no-such-context"), re.MULTILINE)
        assert "version 1  version 2" in by_hand("compare", "production", "2")
        assert "version 2: now challenger" in by_hand("promote", "2", "--alias", "challenger")
        assert "version 2: now production" in by_hand("promote", "2")
        world.wait("version 2 to serve", lambda it: it["model_version"] == "2")
        assert credit("registry", "promote", UNTRUSTED) == 1
        assert by_hand("rollback") == "production names version 1 again; it named version 2\n"
        world.wait("version 1 to serve", lambda it: it["model_version"] == "1")
    world.assert_unharmed(traffic, "1", "2")
    world.registry.remove("challenger")
