"""What is kept of the answered decisions, and what becomes of those that cannot be kept; without HTTP."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.audit.chain import Entry
from app.audit.journal.writer import Journal
from app.audit.made_by import made_by
from app.errors import JournalFailed
from app.ids import Ids
from app.metrics import BoundCounter, Metrics
from app.scoring.model import Identity
from app.scoring.policy import Policy
from app.serving.live.holder import Snapshot
from app.serving.record.durability import Durability
from app.settings import Settings
from app.times import microseconds_now, utc

log = logging.getLogger(__name__)

SERVER = "credit serve"
"""Who acts where no person does."""


@dataclass(slots=True)
class RequestContext:
    """In which request, by whom and when a decision was asked for."""

    request_id: str
    caller: str | None
    trace_id: str | None = None
    """Of the trace that the client named."""
    at: int = field(default_factory=microseconds_now)
    """Microseconds since 1970."""


class Recorder:
    """Keeps decisions in the journal, and with them the policies that they were made under.

    on_failure: whether a decision that cannot be kept is refused or served. service: versions of what decides, kept
    with each policy. clock: microseconds since 1970. durability: of the journal, None where nobody waits for the disk.
    """

    def __init__(
        self,
        journal: Journal,
        on_failure: Literal["refuse", "serve"],
        metrics: Metrics,
        service: Mapping[str, str],
        clock: Callable[[], int] = microseconds_now,
        durability: Durability | None = None,
    ) -> None:
        self._durability = durability
        self._service = service
        self._journal = journal
        self._on_failure = on_failure
        self._metrics = metrics
        self._kept = BoundCounter(metrics.journal_records)
        self._clock = clock
        self._ids = Ids(clock)
        self._policies: set[tuple[str | None, str, str]] = set()
        self._told: str | None = None

    def entry(
        self,
        snapshot: Snapshot,
        context: RequestContext,
        vector: Sequence[float],
        decided: dict[str, Any],
        application_id: str | None = None,
        row: int | None = None,
    ) -> Entry:
        """One decision, to be kept; its key is its id. decided: as it will be answered; row: index in a batch."""
        fields = {
            "request_id": context.request_id,
            "caller": context.caller,
            "application_id": application_id,
            "decision": decided["decision"],
            "row": row,
            "features": snapshot.model.contract.values(vector),
            "model": snapshot.model.identity.lasting,
            "policy_version": snapshot.policy.version,
            "probability": decided["probability"],
            "reasons": decided["reasons"],
        }
        if context.trace_id is not None:
            fields["trace_id"] = context.trace_id
        return Entry("decision", self._ids.next(), context.at, fields)

    def keep(self, policy: Policy, decisions: Sequence[Entry]) -> bool:
        """Whether all the decisions of one request were kept; otherwise none was.

        Raises JournalFailed instead where such decisions are to be refused.
        """
        at = decisions[0].at
        # Each month of the record can be understood, and goes at its time, without the others.
        month = utc(at)[: len("2026-01")]
        missing = (self._journal.writer, policy.version, month) not in self._policies
        entries = (
            [Entry("policy", policy.version, at, {"policy": policy.to_json(), "service": self._service}), *decisions]
            if missing
            else decisions
        )
        try:
            self._append(entries)
        except JournalFailed as error:
            self._failed(error, len(decisions))
            if self._on_failure == "refuse":
                raise
            return False
        if missing:
            self._policies.add((self._journal.writer, policy.version, month))
        return True

    @property
    def waits(self) -> bool:
        """Whether answers have to wait for `on_disk`."""
        return self._durability is not None

    async def on_disk(self) -> None:
        """Until what was kept is on the disk. Raises JournalFailed where decisions that are not are to be refused."""
        if self._durability is None:
            return
        try:
            await self._durability.wait()
        except JournalFailed as error:
            self._failed(error, 1)
            if self._on_failure == "refuse":
                raise

    def keep_act(self, what: str, about: dict[str, Any]) -> None:
        """What this server took up by itself. Nobody waits for that, so a failure is only counted."""
        act = {"what": what, "by": SERVER, "reason": "", "approved_by": None, "about": about}
        try:
            self._append([Entry("act", self._ids.next(), self._clock(), act)])
        except JournalFailed as error:
            self._failed(error, 1)

    def keep_scores(self, challenger: Identity, scores: Sequence[tuple[str, float]]) -> None:
        """What the challenger gave each of these decisions. Nobody waits for that, so a failure is only counted."""
        fields: dict[str, Any] = {"model": challenger.lasting}
        at = self._clock()
        try:
            self._append([Entry("challenger", key, at, fields | {"probability": score}) for key, score in scores])
        except JournalFailed as error:
            self._failed(error, len(scores))

    def close(self) -> None:
        """No decision follows."""
        self._journal.close()

    def _append(self, entries: Sequence[Entry]) -> None:
        self._journal.append(entries)
        self._kept.inc(len(entries))
        if self._told is not None:
            self._told = None
            log.info("decisions are kept again")

    def _failed(self, error: JournalFailed, count: int) -> None:
        self._metrics.journal_failures.inc(count)
        if str(error) != self._told:
            self._told = str(error)
            log.error("decisions cannot be kept", extra={"reason": self._told, "on_failure": self._on_failure})


def recorder_of(settings: Settings, metrics: Metrics) -> Recorder | None:
    """None where decisions are not to be kept."""
    audit = settings.audit
    if not audit.enabled:
        return None
    to_disk = audit.durability == "disk"
    journal = Journal(audit.journal_dir, audit.journal_bytes, to_disk=to_disk)
    durability = Durability(journal) if to_disk else None
    return Recorder(journal, audit.on_failure, metrics, made_by(settings), durability=durability)
