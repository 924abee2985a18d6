"""Verifies that the record is what was written: every chain, what retention took of it, and where it ends."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.audit.checkpoints.kept import Kept
from app.audit.commands.ends import Head, checkpointed_ends, kept_ends, signed_ends
from app.audit.commands.findings import Finding, Findings
from app.audit.commands.one_chain import OneChain
from app.audit.commands.removals import wrong_removals
from app.audit.signing import Trust
from app.audit.store.repository import Dropped, Store
from app.times import utc


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified, and what was found."""

    links: int
    writers: int
    taken: int
    """Links that retention removed from chains."""
    taken_before: str | None
    signed: int
    """Ends of chains that the service signed."""
    heads: int
    """Heads kept elsewhere that were compared."""
    checkpoints: int
    """Likewise, from the last that names every chain on."""
    bad: int
    first: Sequence[Finding]
    """The first findings."""

    @property
    def passed(self) -> bool:
        return self.bad == 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"passed": self.passed}

    def __str__(self) -> str:
        counts = f"{self.links:,} links of {self.writers:,} writers"
        if self.signed:
            counts += f", {self.signed:,} signed ends"
        if self.heads:
            counts += f", {self.heads:,} heads"
        if self.checkpoints:
            counts += f", {self.checkpoints:,} checkpoints"
        lines = [f"OK: {counts}"] if self.passed else [f"BAD: {self.bad:,} findings in {counts}; the first:"]
        lines += [f"  {it}" for it in self.first]
        if self.taken:
            lines.append(f"retention took {self.taken:,} links before them, all older than {self.taken_before}")
        return "\n".join(lines)


def verify(
    store: Store,
    since: int | None,
    until: int | None,
    heads: Sequence[Head],
    done: Callable[[int], None],
    kept_from: int | None = None,
    trust: Trust | None = None,
    kept: Kept | None = None,
) -> Verified:
    """Verify every chain, from its first to its last link of [since, until), microseconds since 1970.

    heads: compared with the links that they name. done: called with how many more links have been verified. kept_from:
    retention keeps everything from then on, so that a removal after it is a finding; None: unknown. trust: whose
    signatures are believed; None: none is looked at. kept: checkpoints, compared likewise. Raises RecordUnavailable.
    """
    spans = store.spans(since, until)
    removals = store.dropped()
    by_writer: dict[str, list[Dropped]] = defaultdict(list)
    findings = Findings()
    for run in removals:
        by_writer[run.writer].append(run)
        findings.add(wrong_removals(store, run, kept_from, trust))
    links = 0
    for span in spans:
        chain = OneChain(span, by_writer[span.writer], whole=since is None and until is None)
        for stored in store.chain(span):
            findings.add(chain.look(stored))
            links += 1
            done(1)
    findings.add(_repeated(store, since, until))
    signed = store.heads()
    if trust is not None:
        findings.add(signed_ends(store, spans, removals, signed, trust))
    findings.add(kept_ends(store, removals, heads))
    if kept is not None:
        findings.add(checkpointed_ends(store, removals, signed, kept))
    taken = sum(it.last - it.first + 1 for it in removals)
    before = max((it.before for it in removals), default=None)
    told = None if before is None else utc(before)
    checked = 0 if trust is None else len(signed)
    compared = 0 if kept is None else kept.checkpoints
    return Verified(links, len(spans), taken, told, checked, len(heads), compared, findings.bad, findings.first)


def _repeated(store: Store, since: int | None, until: int | None) -> Iterator[Finding]:
    for it in store.repeated(since, until):
        yield Finding(it.key, it.writer, it.sequence, "its id is another record's too, and an id is one decision")
