import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import ModelRefused
from app.metrics import Metrics
from app.policy_file import load_policy
from app.scoring.model import ScoringModel
from app.serving.api.batches import answer_batch
from app.serving.live import challenger as module
from app.serving.live.challenger import Challenger
from app.serving.live.holder import Holder, Snapshot
from app.serving.record.recorder import RequestContext, recorder_of
from app.settings import Settings
from harness.waiting import PATIENCE_SECONDS
from tests.support.fakes import constant_model, failing_model, settings_for
from tests.support.journals import chains, keys

VECTOR = [0.0, 0.0, 40.0, *[0.0] * 8]


class World:
    """A model in production and a challenger beside it."""

    def __init__(self, production: float, challenger: ScoringModel | None, settings: Settings | None = None) -> None:
        recorded, settings = settings is not None, settings or Settings()
        policy = load_policy(settings)
        self.metrics = Metrics(policy.threshold)
        holder = Holder(settings, policy, self.metrics)
        holder.take(constant_model(production, "1"))
        assert holder.serving is not None
        self.serving: Snapshot = holder.serving
        self.recorder = recorder_of(settings, self.metrics) if recorded else None
        self.challenger = Challenger(settings, self.metrics, self.recorder)
        if challenger is not None:
            self.challenger.take(challenger)

    def sample(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    @property
    def compared(self) -> float:
        return self.sample("credit_challenger_score_difference_count", challenger_version="2")

    def below(self, edge: str) -> float:
        return self.sample("credit_challenger_score_difference_bucket", challenger_version="2", le=edge)

    def answer(self, rows: int, until: Callable[[], bool]) -> None:
        """Decide on so many rows at once, then compare until that holds."""

        async def serve() -> None:
            vectors = [VECTOR] * rows
            answered = (await answer_batch(self.serving, vectors, self.recorder, RequestContext("request", None)))[
                "predictions"
            ]
            after = self.challenger.after(self.serving, vectors, answered)
            assert after is not None
            await after()
            comparing = asyncio.create_task(self.challenger.run())
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not until():
                    # Not at once again: a thread that scores needs the interpreter too.
                    await asyncio.sleep(0.001)
            comparing.cancel()
            await asyncio.wait([comparing])

        asyncio.run(serve())


def test_every_answered_row_is_scored_by_the_challenger_too() -> None:
    world = World(0.01, constant_model(0.3, "2"))
    world.answer(7, lambda: world.compared == 7)
    buckets = {le: world.below(le) for le in ("0.2", "+Inf")}
    assert buckets == {"0.2": 0, "+Inf": 7}
    labels = {"decision": "ACCEPT", "challenger_version": "2"}
    assert world.sample("credit_challenger_disagreements_total", **labels) == 7


def test_the_same_decision_is_no_disagreement() -> None:
    world = World(0.2, constant_model(0.3, "2"))
    world.answer(3, lambda: world.compared == 3)
    for decision in ("ACCEPT", "REJECT"):
        labels = {"decision": decision, "challenger_version": "2"}
        assert world.sample("credit_challenger_disagreements_total", **labels) == 0


def test_without_a_challenger_or_with_production_itself_there_is_nothing_to_do_after_an_answer() -> None:
    for challenger in (None, constant_model(0.2, "1")):
        world = World(0.2, challenger)
        assert world.challenger.after(world.serving, [VECTOR], []) is None


def test_rows_that_find_the_queue_full_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    world = World(0.2, constant_model(0.3, "2"))
    world.answer(12, lambda: world.compared == 5)
    assert world.sample("credit_challenger_dropped_total", reason="full") == 7


def test_a_challenger_that_cannot_score_is_counted_told_once_and_quotes_no_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(0.2, failing_model("income 5400", "2"))
    with caplog.at_level(logging.ERROR):
        world.answer(3, lambda: world.sample("credit_challenger_dropped_total", reason="failed") == 3)
    told = [record for record in caplog.records if record.message == "challenger cannot score"]
    assert len(told) == 1
    # Its times are numbers in which any digits may stand.
    assert "5400" not in str([value for value in vars(told[0]).values() if not isinstance(value, int | float)])


def uncompiled(model: ScoringModel) -> ScoringModel:
    model.document.spec["kind"] = "uncompiled"
    return model


def test_an_uncompiled_challenger_is_compared_too() -> None:
    world = World(0.2, uncompiled(constant_model(0.3, "2")))
    world.answer(3, lambda: world.compared == 3)


def test_what_the_challenger_gave_is_kept_with_the_id_of_the_decision_that_it_is_about(tmp_path: Path) -> None:
    for model in (constant_model(0.3, "2"), uncompiled(constant_model(0.3, "2"))):
        settings = settings_for(tmp_path)
        world = World(0.2, model, settings)
        world.answer(3, lambda world=world: world.compared == 3)  # type: ignore[misc]
        assert world.recorder is not None
        world.recorder.close()
    decided, scored = (keys(settings.audit.journal_dir, kind) for kind in ("decision", "challenger"))
    assert sorted(scored) == sorted(decided)
    assert len(set(scored)) == 6
    kept = [link.fields for links in chains(settings.audit.journal_dir).values() for link in links]
    scores = [(it["model"]["version"], it["probability"]) for it in kept if it["kind"] == "challenger"]
    assert scores == [("2", pytest.approx(0.3))] * 6


def test_a_score_that_cannot_be_kept_is_counted_and_the_comparison_stands(tmp_path: Path) -> None:
    world = World(0.2, constant_model(0.3, "2"), settings_for(tmp_path))

    async def closed() -> None:
        vectors = [VECTOR] * 3
        answered = (await answer_batch(world.serving, vectors, world.recorder, RequestContext("request", None)))[
            "predictions"
        ]
        assert world.recorder is not None
        world.recorder.close()
        after = world.challenger.after(world.serving, vectors, answered)
        assert after is not None
        await after()
        comparing = asyncio.create_task(world.challenger.run())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while world.compared < 3:
                await asyncio.sleep(0)
        comparing.cancel()
        await asyncio.wait([comparing])

    asyncio.run(closed())
    assert world.sample("credit_journal_failures_total") == 3


def test_comparisons_take_a_small_share_of_the_time() -> None:
    times = iter(range(10_000))
    world = World(0.2, constant_model(0.3, "2"))
    world.challenger._clock = lambda: next(times)
    pauses: list[float] = []

    async def compared() -> None:
        sleep = asyncio.sleep

        async def noted(seconds: float) -> None:
            pauses.append(seconds)
            await sleep(0)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(asyncio, "sleep", noted)
            after = world.challenger.after(
                world.serving, [VECTOR], [{"decision_id": None, "probability": 0.2, "decision": "REJECT"}]
            )
            assert after is not None
            await after()
            comparing = asyncio.create_task(world.challenger.run())
            while not pauses:
                await sleep(0)
            comparing.cancel()
            await asyncio.wait([comparing])

    asyncio.run(compared())
    assert pauses == [pytest.approx(2 * 9)]


def test_a_challenger_is_described_until_it_leaves() -> None:
    world = World(0.2, constant_model(0.3, "2"))

    def roles() -> set[str]:
        families = world.metrics.registry.collect()
        return {s.labels["role"] for f in families if f.name == "credit_model_info" for s in f.samples}

    assert roles() == {"production", "challenger"}
    world.challenger.leave()
    assert (roles(), world.challenger.model) == ({"production"}, None)


def test_an_error_keeps_the_challenger_and_touches_no_figure_of_production() -> None:
    world = World(0.2, constant_model(0.3, "2"))
    world.challenger.keep(ModelRefused("untrusted types"))
    assert world.challenger.model is not None
    assert world.sample("credit_challenger_reloads_total", outcome="refused") == 1
    assert world.sample("credit_model_reloads_total", outcome="refused") == 0
