"""Scores what was decided once more with the challenger, after the answer has gone; no answer waits for it."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.background import BackgroundTask

from app.metrics import ChallengerMetrics, Metrics
from app.models.load import UNCOMPILED
from app.models.pointer import Pointer
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel
from app.scoring.policy import Verdict
from app.serving.http.problems import described
from app.serving.live.holder import Snapshot
from app.serving.live.reloads import Reload, Reloads
from app.serving.record.recorder import Recorder
from app.settings import Settings

MOST_WAITING = 10_000
"""Rows, as many as the largest batch has. Those that find the queue full are dropped and counted."""

SLICE_SECONDS = 0.0005
"""Longest time that comparisons keep requests waiting."""

SHARE = 0.1
"""Most of the process's time that comparisons take, whatever the challenger costs."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wire vector, what was answered about it, and what decided."""

    vector: list[float]
    decision_id: str | None
    probability: float
    decision: Verdict
    decider: Decider


Compared = tuple[Waiting, float | None]
"""With the challenger's probability; None when it could not score."""


class Challenger:
    """Holds the challenger; `model` is None while there is none. `run` compares until it is cancelled.

    recorder: keeps its scores of decisions that were kept. clock: seconds, of which only differences count.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.uri = settings.mlflow.challenger_uri
        self.model: ScoringModel | None = None
        self._metrics = metrics
        self._recorder = recorder
        self._bound: ChallengerMetrics | None = None
        self._clock = clock
        self._reloads = Reloads("model", self.uri, metrics.challenger_reloads)
        self._waiting: deque[Waiting] = deque()
        self._offered = asyncio.Event()
        self._told = False

    @property
    def last_reload(self) -> Reload | None:
        return self._reloads.last

    def take(self, model: ScoringModel) -> None:
        """Compare with that model from the next row on."""
        self._metrics.describe_challenger(model, self.uri.rpartition("@")[2])
        self._bound = ChallengerMetrics(self._metrics, model)
        self.model = model
        self._told = False
        self._reloads.loaded()

    def leave(self) -> None:
        """Nobody challenges any more."""
        if self.model is not None:
            self._metrics.describe_challenger(None, "")
            self.model = self._bound = None
            self._waiting.clear()

    def keep(self, error: Exception) -> None:
        """Go on with the challenger there is: this error came instead of another."""
        self._reloads.failed(error)

    def confirm(self, named: Pointer | None) -> None:
        """Of the model in production this matters; a challenger decides nothing."""

    def contact(self, up: bool) -> None:
        """The model in production is followed at the same registry, and says whether it answers."""

    def after(
        self, snapshot: Snapshot, vectors: Sequence[list[float]], rows: Iterable[dict[str, Any]]
    ) -> BackgroundTask | None:
        """For after the answer with those rows: their comparisons; None when there is nothing to compare."""
        return BackgroundTask(self._offer, snapshot, vectors, rows) if self._challenges(snapshot) else None

    async def _offer(self, snapshot: Snapshot, vectors: Sequence[list[float]], rows: Iterable[dict[str, Any]]) -> None:
        self.offer(snapshot, vectors, rows)

    def offer(self, snapshot: Snapshot, vectors: Sequence[list[float]], rows: Iterable[dict[str, Any]]) -> None:
        """Let these rows be compared when there is time, if there is anything to compare."""
        if not self._challenges(snapshot):
            return
        free = MOST_WAITING - len(self._waiting)
        for vector, row in zip(vectors[:free], rows, strict=False):
            answered = (row["decision_id"], row["probability"], row["decision"])
            self._waiting.append(Waiting(vector, *answered, snapshot.decider))
        if len(vectors) > free:
            self._metrics.challenger_dropped.labels("full").inc(len(vectors) - free)
        self._offered.set()

    def _challenges(self, snapshot: Snapshot) -> bool:
        return self.model is not None and self.model.identity != snapshot.model.identity

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._offered.wait()
            self._offered.clear()
            while self._waiting and (model := self.model) is not None:
                started = self._clock()
                if model.document.spec["kind"] == UNCOMPILED:
                    # May take any time: the thread gives the interpreter back between its instructions.
                    waiting = self._waiting.popleft()
                    compared = [(waiting, await asyncio.to_thread(self._score, model, waiting))]
                else:
                    compared = self._score_slice(model, started + SLICE_SECONDS)
                self._count(model, compared)
                await asyncio.sleep((self._clock() - started) * (1 / SHARE - 1))

    def _score_slice(self, model: ScoringModel, until: float) -> list[Compared]:
        compared = []
        while self._waiting and self._clock() < until:
            waiting = self._waiting.popleft()
            compared.append((waiting, self._score(model, waiting)))
        return compared

    def _score(self, model: ScoringModel, waiting: Waiting) -> float | None:
        try:
            return model.score(waiting.vector)
        except Exception as error:  # whatever a challenger does, the answers go on
            self._metrics.challenger_dropped.labels("failed").inc()
            if not self._told:
                self._told = True
                log.error("challenger cannot score", extra={"error": described(error)})
            return None

    def _count(self, model: ScoringModel, compared: Iterable[Compared]) -> None:
        # While a thread scored, another challenger may have come: that one is not compared with these rows.
        bound = self._bound if model is self.model else None
        if bound is None:
            return
        scores = []
        for waiting, score in compared:
            if score is None:
                continue
            challengers = waiting.decider.verdict(waiting.vector, score)
            bound.observe(score - waiting.probability, waiting.decision, challengers)
            if waiting.decision_id is not None:
                scores.append((waiting.decision_id, score))
        if scores and self._recorder is not None:
            self._recorder.keep_scores(model.identity, scores)
