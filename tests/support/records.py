"""Records for tests: decisions as the server would write them, and journals with a writer that can die."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.audit.chain import Chain, Entry, Link, link_of
from app.audit.commands.replay import Deciders
from app.audit.journal.layout import LOCK_FILE, file_path, to_line
from app.audit.signing import Signer, Trust
from app.audit.store.outcome_rows import KnownOutcome
from app.audit.store.recorded_policies import RecordedPolicies
from app.audit.store.repository import Store
from app.audit.store.review_rows import Review
from app.policy_file import load_policy
from app.reports.decided import PastDecision, read_decisions
from app.reports.fairness import FairnessReport, fairness_report
from app.reports.group_bands import GroupBands
from app.reports.group_gaps import GroupGaps
from app.reports.group_swaps import GroupSwaps
from app.scoring.decider import Decider
from app.scoring.model import Row, ScoringModel
from app.scoring.policy import Policy
from app.settings import Settings
from harness.fields import CONTRACT, FEATURES
from tests.support.fakes import constant_model

NOON = 1_790_000_000_000_000
"""A moment of September 2026, microseconds since 1970."""

_PRIVATE = Ed25519PrivateKey.generate()
KEY = _PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SIGNER = Signer(_PRIVATE)
"""The service's, in tests, and its private key in PEM."""

TRUST = Trust(frozenset({SIGNER.public}))

SECOND = 1_000_000
ROW: Row = [0.31, 52.0, 0.0, 0.36, 5400.0, 8.0, 0.0, 1.0, 0.0, 1.0]


def identifier(at: int) -> str:
    """A UUIDv7 of that moment."""
    return str(UUID(int=(at // 1000) << 80 | 7 << 76 | 2 << 62 | int.from_bytes(os.urandom(7))))


def policy_of_tests() -> Policy:
    return load_policy(Settings())


def decided(
    decider: Decider, features: Row = ROW, at: int = NOON, key: str | None = None, application_id: str | None = None
) -> Entry:
    """A decision on those ten values, as the server records it."""
    decision = decider.decide(CONTRACT.vector(features))
    identity = decider.model.identity
    fields: dict[str, Any] = {
        "request_id": "r-1",
        "caller": None,
        "application_id": application_id,
        "row": None,
        "features": list(features),
        "model": {name: getattr(identity, name) for name in ("name", "version", "uri", "digest")},
        "policy_version": decider.policy.version,
        "probability": decision.probability,
        "decision": decision.verdict,
        "reasons": [{"code": it.code, "feature": it.feature, "text": it.text} for it in decision.reasons],
    }
    return Entry("decision", key or identifier(at), at, fields)


def decisions(count: int, at: int = NOON, model: ScoringModel | None = None) -> list[Entry]:
    """One a second, on applicants whose ages differ."""
    decider = Decider(model or constant_model(0.1), policy_of_tests())
    rows = ([*ROW[:1], 20.0 + number % 60, *ROW[2:]] for number in range(count))
    return [decided(decider, row, at + number * SECOND) for number, row in enumerate(rows)]


def policy_entry(at: int = NOON, policy: Policy | None = None) -> Entry:
    policy = policy or policy_of_tests()
    return Entry("policy", policy.version, at, {"policy": policy.to_json()})


def challenged(decision: Entry, probability: float) -> Entry:
    """The score of a challenger for it."""
    model = decision.fields["model"] | {"version": "9"}
    return Entry("challenger", decision.key, decision.at + SECOND, {"model": model, "probability": probability})


def read_all(
    store: Store, by_people: Mapping[str, Review] | None = None, done: Callable[[int], None] = lambda _: None
) -> Iterator[PastDecision]:
    """Every decision, as reports read them."""
    return read_decisions(store.decisions(None, None), store, by_people or {}, done)


def fairness_of(
    store: Store,
    known: Mapping[str, tuple[str, ...]],
    by_people: Mapping[str, Review] | None = None,
    outcomes: Mapping[str, KnownOutcome] | None = None,
    models: Mapping[str, ScoringModel] | None = None,
) -> FairnessReport:
    """By one kind of groups. models: by their URI; without them the factors are not asked for."""
    names = ("kind",)
    gaps = None if models is None else GroupGaps(names, Deciders(models.__getitem__, store))
    bands, swaps = GroupBands(names, outcomes or {}), GroupSwaps(names, RecordedPolicies(store))
    return fairness_report(read_all(store, by_people), known, bands, swaps, gaps)


def linked(entries: Sequence[Entry], writer: str | None = None) -> list[Link]:
    """The entries as one writer's whole chain."""
    return [link_of(*it) for it in Chain(writer or identifier(NOON)).seal(entries)]


class Writer:
    """A writer of a journal, with its lock held until it dies."""

    def __init__(self, journal: Path, writer: str | None = None) -> None:
        self.chain = Chain(writer or identifier(NOON))
        self.folder = journal / self.chain.writer
        self.folder.mkdir(parents=True)
        self._lock = os.open(self.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._number = 1

    @property
    def file(self) -> Path:
        return file_path(self.folder, self._number)

    def write(self, entries: Sequence[Entry]) -> list[Link]:
        """Append them; gives their links."""
        sealed = self.chain.seal(entries)
        self.chain.advance(sealed)
        self.append("".join(to_line(*it) for it in sealed).encode())
        return [link_of(*it) for it in sealed]

    def append(self, content: bytes) -> None:
        with self.file.open("ab") as file:
            file.write(content)

    def rotate(self) -> None:
        """Go on in a new file."""
        self._number += 1
        self.file.touch()

    def die(self) -> None:
        os.close(self._lock)


assert len(ROW) == len(FEATURES)
