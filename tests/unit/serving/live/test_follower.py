import asyncio
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from app.errors import ModelError, ModelForbidden, ModelMissing, ModelRefused, ModelUnavailable
from app.metrics import Metrics
from app.models.cache import ModelCache, document_digest
from app.models.document import document_bytes
from app.models.pointer import Pointer
from app.policy_file import load_policy
from app.serving.live.challenger import Challenger
from app.serving.live.follower import LONGEST_PAUSE_SECONDS, Follower, followers_of
from app.serving.live.holder import Holder
from app.settings import Settings
from tests.support.fakes import NAME, cached_model, constant_document, settings_for


class FakeRegistry:
    """A registry whose alias names what a test says; an error in its place is raised, as are those of broken."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.alias: str | Exception = "1"
        self.broken: dict[str, Exception] = {}
        self.tags: dict[str, dict[str, str]] = {}
        """By version, what is not as of one that has passed the gate and has no document."""
        self.documents: dict[str, bytes] = {}
        self.pulls: list[str] = []
        self.fetched: list[str] = []
        self.closed = False

    async def read(self) -> Pointer:
        if isinstance(self.alias, Exception):
            raise self.alias
        passed = Pointer(NAME, self.alias, f"run{self.alias}", gate="passed", gate_digest=f"{self.alias:0>64}")
        return replace(passed, **self.tags.get(self.alias, {}))

    async def document(self, pointer: Pointer, most_bytes: int) -> bytes | None:
        if pointer.document:
            self.fetched.append(pointer.version)
        return self.documents.get(pointer.version)

    async def close(self) -> None:
        self.closed = True

    async def pull(self, _: str) -> Path:
        if isinstance(self.alias, Exception):
            raise self.alias
        self.pulls.append(self.alias)
        if self.alias in self.broken:
            raise self.broken[self.alias]
        return cached_model(self.settings, constant_document(0.3, self.alias), answers_uri=False)


class World:
    """A follower with everything around it, and a clock that stands still unless it is moved."""

    def __init__(self, folder: Path, followed: bool = True, require_verdict: bool = True) -> None:
        settings = settings_for(folder)
        serving = settings.serving.model_copy(update={"require_verdict": require_verdict})
        self.settings = settings.model_copy(update={"serving": serving})
        self.registry = FakeRegistry(self.settings)
        self.metrics = Metrics(0.05)
        self.holder = Holder(self.settings, load_policy(self.settings), self.metrics)
        self.now = 0.0
        alias = self.registry if followed else None
        uri = self.settings.mlflow.model_uri
        self.follower = Follower(self.settings, uri, self.holder, self.registry.pull, alias, clock=lambda: self.now)

    def step(self) -> float | None:
        return asyncio.run(self.follower.step())

    def steps(self, count: int) -> Sequence[float | None]:
        return [self.step() for _ in range(count)]

    @property
    def version(self) -> str | None:
        return None if self.holder.serving is None else self.holder.serving.model.identity.version

    @property
    def outcome(self) -> str | None:
        return None if self.holder.last_reload is None else self.holder.last_reload.outcome

    @property
    def reason(self) -> str:
        return "" if self.holder.last_reload is None else self.holder.last_reload.reason or ""

    @property
    def probability(self) -> float | None:
        return None if self.holder.serving is None else self.holder.serving.model.score([0.0] * 11)

    @property
    def registry_up(self) -> float | None:
        return self.metrics.registry.get_sample_value("credit_registry_up")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_serves_what_the_alias_names_and_pulls_it_once(world: World) -> None:
    world.steps(3)
    assert (world.version, world.registry.pulls, world.registry_up) == ("1", ["1"], 1)


def test_follows_the_alias_when_it_moves(world: World) -> None:
    world.step()
    world.registry.alias = "2"
    world.step()
    assert (world.version, world.outcome) == ("2", "loaded")


def test_serves_from_the_cache_before_it_asks_anybody(world: World) -> None:
    cached_model(world.settings, constant_document(0.3, "1"))
    world.registry.alias = ModelUnavailable("down")
    asyncio.run(world.follower.serve_cached())
    assert (world.version, world.registry.pulls) == ("1", [])


def test_does_not_pull_what_the_cache_gave_it(world: World) -> None:
    cached_model(world.settings, constant_document(0.3, "1"))
    asyncio.run(world.follower.serve_cached())
    world.step()
    assert world.registry.pulls == []


def test_pulls_the_same_version_of_another_run(world: World) -> None:
    document = constant_document(0.3, "1")
    object.__setattr__(document.identity, "run_id", "of another registry")
    cached_model(world.settings, document)
    asyncio.run(world.follower.serve_cached())
    world.step()
    assert world.registry.pulls == ["1"]


def with_document(world: World, version: str, probability: float = 0.3) -> None:
    """Let that version have a document in the registry."""
    content = document_bytes(constant_document(probability, version))
    world.registry.documents[version] = content
    tags = {"document": f"runs:/{version}/document.json", "document_digest": sha256(content).hexdigest()}
    world.registry.tags[version] = tags


def test_a_version_with_a_document_is_served_without_a_pull(world: World) -> None:
    with_document(world, "1")
    world.steps(3)
    assert (world.version, world.registry.fetched, world.registry.pulls) == ("1", ["1"], [])
    assert not world.holder.stale


def test_a_document_that_the_server_does_not_hand_on_leaves_the_pull(world: World) -> None:
    with_document(world, "1")
    world.registry.documents.clear()
    world.steps(3)
    assert (world.version, world.registry.fetched, world.registry.pulls) == ("1", ["1"], ["1"])


def test_a_document_of_a_model_that_cannot_be_compiled_leaves_the_pull(world: World) -> None:
    document = replace(constant_document(0.3, "1"), spec={"kind": "uncompiled", "file": "", "serialization": ""})
    world.registry.documents["1"] = content = document_bytes(document)
    world.registry.tags["1"] = {"document": "runs:/1/d", "document_digest": sha256(content).hexdigest()}
    world.step()
    assert (world.version, world.registry.pulls) == ("1", ["1"])


def test_a_document_that_is_not_the_registered_one_is_refused(world: World) -> None:
    world.step()
    with_document(world, "2")
    world.registry.documents["2"] += b" "
    world.registry.alias = "2"
    world.step()
    assert (world.version, world.outcome, world.registry.pulls) == ("1", "refused", ["1"])
    assert "is not the one that was registered" in world.reason
    assert "credit registry adopt 2" in world.reason


def test_a_document_of_other_files_than_passed_the_gate_is_refused(world: World) -> None:
    with_document(world, "1")
    world.registry.tags["1"]["gate_digest"] = "0" * 64
    world.step()
    assert (world.version, world.outcome) == (None, "refused")
    assert "are not those that passed the gate" in world.reason


def test_a_version_that_gets_a_document_is_taken_again_with_it(world: World) -> None:
    world.step()
    with_document(world, "1", probability=0.4)
    world.steps(2)
    assert (world.registry.pulls, world.registry.fetched) == (["1"], ["1"])
    assert world.probability == pytest.approx(0.4)


def test_what_the_cache_gave_is_not_loaded_again_once_the_registry_names_it(world: World) -> None:
    with_document(world, "1")
    entry = cached_model(world.settings, constant_document(0.3, "1"))
    asyncio.run(world.follower.serve_cached())
    loaded_at = world.holder.serving
    world.step()
    assert world.holder.serving is loaded_at
    assert (world.registry.pulls, world.registry.fetched, document_digest(entry)) == (
        [],
        [],
        world.registry.tags["1"]["document_digest"],
    )


@pytest.mark.parametrize(
    ("tags", "remedy"),
    [
        ({"gate": ""}, "credit registry adopt 2"),
        ({"gate_digest": ""}, "credit registry adopt 2"),
        ({"gate": "refused"}, "let the alias name a version that passed"),
    ],
    ids=["never judged", "judged by an earlier release", "refused"],
)
def test_a_version_without_a_verdict_that_passed_is_not_followed(
    world: World, tags: dict[str, str], remedy: str
) -> None:
    world.step()
    world.registry.tags["2"] = tags
    world.registry.alias = "2"
    world.steps(3)
    assert (world.version, world.outcome, world.registry.pulls, world.holder.stale) == ("1", "refused", ["1"], True)
    assert remedy in world.reason


def test_the_first_model_needs_a_verdict_too_and_is_served_as_soon_as_it_has_one(world: World) -> None:
    world.registry.tags["1"] = {"gate": ""}
    world.steps(2)
    assert (world.version, world.registry.pulls) == (None, [])
    world.registry.tags.clear()
    world.step()
    assert (world.version, world.registry.pulls) == ("1", ["1"])


def test_where_no_verdict_is_required_the_alias_is_followed_wherever_it_goes(tmp_path: Path) -> None:
    world = World(tmp_path, require_verdict=False)
    world.registry.tags["1"] = {"gate": "", "gate_digest": ""}
    world.step()
    assert world.version == "1"


@pytest.mark.parametrize(
    ("status", "outcome"), [("PENDING_REGISTRATION", "unavailable"), ("FAILED_REGISTRATION", "refused")]
)
def test_a_version_whose_registration_has_not_ended_well_is_not_pulled(world: World, status: str, outcome: str) -> None:
    world.step()
    world.registry.tags["2"] = {"status": status}
    world.registry.alias = "2"
    world.step()
    assert (world.version, world.outcome, world.registry.pulls) == ("1", outcome, ["1"])
    world.registry.tags.clear()
    world.step()
    assert world.version == "2"


def test_a_registry_that_wants_credentials_is_not_asked_at_every_poll(world: World) -> None:
    world.registry.alias = ModelForbidden("set MLFLOW_TRACKING_USERNAME")
    pause = world.step()
    assert pause is not None
    assert pause >= 0.8 * LONGEST_PAUSE_SECONDS


def test_going_back_to_a_version_in_the_cache_pulls_nothing(world: World) -> None:
    for alias in ("1", "2", "1"):
        world.registry.alias = alias
        world.step()
    assert (world.version, world.outcome, world.registry.pulls) == ("1", "loaded", ["1", "2"])


def test_going_back_to_a_version_whose_entry_was_changed_pulls_it_again(world: World) -> None:
    world.step()
    world.registry.alias = "2"
    world.step()
    (ModelCache(world.settings.serving.cache_dir).versions(NAME, "1")[0] / "model.json").write_text("{}")
    world.registry.alias = "1"
    world.step()
    assert (world.version, world.registry.pulls) == ("1", ["1", "2", "1"])


def test_a_model_that_was_pulled_and_does_not_load_is_not_what_the_next_start_serves(world: World) -> None:
    world.step()
    pull = world.registry.pull

    async def pull_damaged(uri: str) -> Path:
        entry = await pull(uri)
        (entry / "model.json").write_text("{}")
        return entry

    world.follower._pull = pull_damaged
    world.registry.alias = "2"
    world.step()
    recalled = ModelCache(world.settings.serving.cache_dir).recall(world.settings.mlflow.model_uri)
    assert (world.outcome, recalled and recalled.name.split("-")[-2]) == ("refused", "1")


def test_a_cache_entry_that_was_changed_is_refused_and_pulled_again(world: World) -> None:
    entry = cached_model(world.settings, constant_document(0.3, "1"))
    (entry / "model.json").write_text("{}")
    asyncio.run(world.follower.serve_cached())
    assert (world.version, world.outcome) == (None, "refused")
    world.step()
    assert world.version == "1"


def test_an_empty_cache_is_no_error(world: World) -> None:
    asyncio.run(world.follower.serve_cached())
    assert (world.version, world.outcome) == (None, None)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ModelUnavailable("no artifact"), "unavailable"),
        (ModelRefused("untrusted types"), "refused"),
        (ModelError("took too long"), "failed"),
        (RuntimeError("a bug"), "failed"),
    ],
)
def test_a_pull_that_fails_keeps_the_model_before_it(world: World, error: Exception, outcome: str) -> None:
    world.step()
    world.registry.broken["2"] = error
    world.registry.alias = "2"
    world.step()
    assert (world.version, world.outcome) == ("1", outcome)


def test_a_refused_version_is_not_pulled_again_while_the_alias_names_it(world: World) -> None:
    world.registry.broken["1"] = ModelRefused("untrusted types")
    world.step()
    world.now += 1e9
    world.steps(5)
    assert world.registry.pulls == ["1"]


def test_the_version_after_a_refused_one_is_pulled_at_once(world: World) -> None:
    world.registry.broken["1"] = ModelRefused("untrusted types")
    world.step()
    world.registry.alias = "2"
    world.step()
    assert world.version == "2"


def test_a_refused_version_gets_another_chance_after_the_alias_named_another(world: World) -> None:
    world.step()
    world.registry.broken["2"] = ModelRefused("untrusted types")
    for alias in ("2", "1", "2"):
        world.registry.alias = alias
        world.step()
    assert world.registry.pulls == ["1", "2", "2"]


def test_a_failed_pull_is_repeated_when_its_pause_is_over_and_not_before(world: World) -> None:
    world.registry.broken["1"] = ModelError("took too long")
    world.steps(3)
    assert world.registry.pulls == ["1"]
    world.now += 1.3
    world.steps(3)
    assert world.registry.pulls == ["1", "1"]


def test_moving_the_alias_back_during_a_pause_is_seen_at_once(world: World) -> None:
    world.step()
    world.registry.broken["2"] = ModelError("took too long")
    world.registry.alias = "2"
    world.step()
    world.registry.alias = "3"
    world.step()
    assert world.version == "3"


def test_a_registry_that_is_down_costs_nothing_but_a_gauge(world: World) -> None:
    world.step()
    world.registry.alias = ModelUnavailable("down")
    world.step()
    assert (world.version, world.outcome, world.registry_up) == ("1", "unavailable", 0)
    world.registry.alias = "1"
    world.step()
    assert (world.version, world.registry_up) == ("1", 1)


def test_a_registry_whose_alias_names_nothing_is_up(world: World) -> None:
    world.step()
    world.registry.alias = ModelMissing("no such alias")
    world.step()
    assert (world.version, world.outcome, world.registry_up, world.holder.stale) == ("1", "unavailable", 1, True)


def test_a_registry_whose_artifacts_cannot_be_had_is_up(world: World) -> None:
    world.registry.broken["1"] = ModelUnavailable("no artifact")
    world.step()
    assert (world.outcome, world.registry_up) == ("unavailable", 1)


@pytest.mark.parametrize(("error", "up"), [(ModelUnavailable("down"), 0), (ModelMissing("no such version"), 1)])
def test_for_a_pinned_model_the_pull_tells_whether_the_registry_is_up(
    tmp_path: Path, error: Exception, up: float
) -> None:
    world = World(tmp_path, followed=False)
    world.registry.alias = error
    world.step()
    assert world.registry_up == up


def test_what_the_cache_gave_is_stale_until_the_registry_names_it(world: World) -> None:
    cached_model(world.settings, constant_document(0.3, "1"))
    asyncio.run(world.follower.serve_cached())
    assert world.holder.stale
    world.step()
    assert not world.holder.stale


def test_what_serves_is_stale_while_what_the_alias_names_is_refused(world: World) -> None:
    world.step()
    world.registry.broken["2"] = ModelRefused("untrusted types")
    world.registry.alias = "2"
    world.steps(3)
    assert world.holder.stale
    world.registry.alias = "1"
    world.step()
    assert not world.holder.stale


class Challenged:
    """A follower of the challenger's alias."""

    def __init__(self, folder: Path) -> None:
        self.settings = settings_for(folder)
        self.registry = FakeRegistry(self.settings)
        self.challenger = Challenger(self.settings, Metrics(0.05))
        self.follower = Follower(
            self.settings,
            self.settings.mlflow.challenger_uri,
            self.challenger,
            self.registry.pull,
            self.registry,
            self.challenger.leave,
        )

    def step(self, alias: str | Exception) -> str | None:
        """What challenges after a step in which the alias names that."""
        self.registry.alias = alias
        asyncio.run(self.follower.step())
        model = self.challenger.model
        return None if model is None else model.identity.version

    @property
    def recalled(self) -> Path | None:
        return ModelCache(self.settings.serving.cache_dir).recall(self.settings.mlflow.challenger_uri)


def test_a_challenger_comes_with_its_alias_and_goes_with_it(tmp_path: Path) -> None:
    challenged = Challenged(tmp_path)
    assert challenged.step(ModelMissing("no such alias")) is None
    assert challenged.challenger.last_reload is None
    assert challenged.step("2") == "2"
    assert challenged.recalled is not None
    assert challenged.step(ModelMissing("no such alias")) is None
    assert challenged.recalled is None
    assert challenged.step("2") == "2"


def test_a_challenger_stays_while_the_registry_is_down_or_its_successor_is_bad(tmp_path: Path) -> None:
    challenged = Challenged(tmp_path)
    challenged.step("2")
    assert challenged.step(ModelUnavailable("down")) == "2"
    challenged.registry.broken["3"] = ModelMissing("no artifact")
    assert challenged.step("3") == "2"


@pytest.mark.parametrize(
    ("mlflow", "followed"),
    [
        ({"tracking_uri": "http://mlflow:5000"}, 2),
        ({"tracking_uri": "http://mlflow:5000", "challenger_uri": ""}, 1),
        ({"tracking_uri": "http://mlflow:5000", "model_uri": "models:/m/7"}, 1),
        ({}, 1),
    ],
    ids=["server", "switched off", "pinned", "embedded registry"],
)
def test_a_challenger_is_followed_beside_an_alias_on_a_server(
    tmp_path: Path, mlflow: dict[str, str], followed: int
) -> None:
    settings, metrics = settings_for(tmp_path, **mlflow), Metrics(0.05)
    holder = Holder(settings, load_policy(settings), metrics)
    assert len(followers_of(settings, holder, Challenger(settings, metrics))) == followed


def test_an_alias_is_asked_for_at_the_polling_interval_even_while_everything_fails(world: World) -> None:
    world.registry.alias = ModelUnavailable("down")
    pauses = world.steps(12)
    assert all(pause is not None and pause <= 0.12 for pause in pauses)


def test_an_alias_that_moves_during_the_pull_is_followed_by_the_next_step(world: World) -> None:
    pull = world.registry.pull

    async def slow(uri: str) -> Path:
        world.registry.alias = "2"
        return await pull(uri)

    world.follower._pull = slow
    world.step()
    assert world.version == "2"
    world.steps(2)
    assert (world.version, world.registry.pulls) == ("2", ["2"])


def test_what_cannot_be_followed_is_pulled_once(tmp_path: Path) -> None:
    world = World(tmp_path, followed=False)
    assert world.step() is None
    assert (world.version, world.registry.pulls) == ("1", ["1"])


def test_what_cannot_be_followed_is_retried_with_growing_pauses_until_it_loads(tmp_path: Path) -> None:
    world = World(tmp_path, followed=False)
    world.registry.alias = ModelUnavailable("down")
    pauses = [pause for pause in world.steps(10) if pause is not None]
    assert len(pauses) == 10
    assert 0.8 <= pauses[0] <= 1.2
    assert pauses[3] > pauses[0]
    assert 0.8 * LONGEST_PAUSE_SECONDS <= pauses[-1] <= 1.2 * LONGEST_PAUSE_SECONDS
    world.registry.alias = "1"
    assert world.step() is None
    assert world.version == "1"


def test_runs_until_a_pinned_model_is_loaded(tmp_path: Path) -> None:
    world = World(tmp_path, followed=False)
    asyncio.run(world.follower.run())
    assert world.version == "1"


def test_a_cache_folder_that_cannot_be_made_is_told_and_not_fatal(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    world = World(tmp_path)
    asyncio.run(world.follower.serve_cached())
    assert world.outcome == "failed"


def test_cancelling_it_closes_the_connection_to_the_registry(world: World) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(world.follower.run())
        while world.holder.serving is None:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(cancelled())
    assert world.registry.closed


def test_the_next_start_finds_what_was_pulled(world: World) -> None:
    world.step()
    assert ModelCache(world.settings.serving.cache_dir).recall(world.settings.mlflow.model_uri) is not None
