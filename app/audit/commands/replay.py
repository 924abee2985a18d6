"""Recomputes decisions with the model and the policy of their day, and compares to the last bit."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

from app.audit.store.recorded_policies import policy_of, service_of
from app.audit.store.repository import Store, Stored
from app.errors import ModelMissing, ModelRefused, PolicyInvalid, RecordInvalid
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel

MOST_SHOWN = 20

Models = Callable[[str], ScoringModel]
"""From a model's URI to the model. Raises ModelError."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that does not come out as it was recorded, or cannot be computed again."""

    id: str
    what: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What recomputing decisions found."""

    decisions: int
    different: int
    largest_difference: float
    """Of a probability, among those that could be computed."""
    per_second: float
    first: Sequence[Difference]
    """The first of those that differ."""

    @property
    def passed(self) -> bool:
        return self.different == 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"passed": self.passed}

    def __str__(self) -> str:
        head = "OK" if self.passed else "DIFFERENT"
        lines = [
            f"{head}: {self.decisions:,} decisions recomputed, {self.different:,} differ,"
            f" largest difference of a probability {self.largest_difference!r}, {self.per_second:,.0f}/s"
        ]
        return "\n".join([*lines, *(f"  {it.id}: {it.what}" for it in self.first)])


@dataclass(slots=True)
class Deciders:
    """The decider of each model and policy that the record names, made once."""

    models: Models
    store: Store
    service: Mapping[str, str] = field(default_factory=dict)
    """Versions of what decides here."""
    _known: dict[tuple[str, str, str], Decider | str] = field(default_factory=dict)
    _services: dict[str, dict[str, str]] = field(default_factory=dict)
    """By the version of the policy, what decided under it."""

    def of(self, record: dict[str, Any]) -> Decider | str:
        """The decider of a recorded decision, or why there is none. Raises ModelUnavailable, RecordUnavailable."""
        model = record["model"]
        key = (model["uri"], model["digest"], record["policy_version"])
        if (found := self._known.get(key)) is None:
            try:
                found = Decider(self._model(*key[:2]), policy_of(self.store, key[2]))
            except (ModelMissing, ModelRefused, PolicyInvalid, RecordInvalid) as error:
                found = str(error)
            self._known[key] = found
        return found

    def otherwise(self, record: dict[str, Any]) -> str | None:
        """What is of another version here than it was then; None: nothing. Raises RecordUnavailable."""
        policy_version = record["policy_version"]
        if policy_version not in self._services:
            self._services[policy_version] = service_of(self.store, policy_version)
        then = self._services[policy_version]
        numbers = ("python", "scikit_learn")
        other = [f"{name} {then[name]}" for name in numbers if name in then and then[name] != self.service.get(name)]
        return f"it was made with {' and '.join(other)}, and here are others" if other else None

    def _model(self, uri: str, digest: str) -> ScoringModel:
        for known in self._known.values():
            if isinstance(known, Decider) and known.model.identity.digest == digest:
                return known.model
        model = self.models(uri)
        if model.identity.digest != digest:
            raise ModelRefused(
                f"the registry's {uri} has the digest {model.identity.digest[:12]}, not {digest[:12]} as recorded"
            )
        return model


def replay(
    records: Iterable[Stored], deciders: Deciders, done: Callable[[int], None], repeated: Set[str] = frozenset()
) -> Replayed:
    """Compute every decision again and compare it with what was recorded.

    done: called with how many more have been recomputed. repeated: ids that more than one record has. Raises
    ModelUnavailable, RecordUnavailable.
    """
    started = perf_counter()
    decisions = different = 0
    largest = 0.0
    first: list[Difference] = []
    for stored in records:
        problems, distance = _compare(stored, deciders)
        if stored.key in repeated:
            problems.append("its id is another record's too; credit audit verify says which")
        largest = max(largest, distance)
        decisions += 1
        if problems:
            different += 1
            if len(first) < MOST_SHOWN:
                first.append(Difference(stored.key, "; ".join(problems)))
        done(1)
    seconds = perf_counter() - started
    return Replayed(decisions, different, largest, decisions / seconds if seconds else 0.0, first)


def _compare(stored: Stored, deciders: Deciders) -> tuple[list[str], float]:
    try:
        record = stored.to_link().fields
        decider = deciders.of(record)
        if isinstance(decider, str):
            return [decider], 0.0
        decision = decider.decide(decider.model.contract.vector(record["features"]))
        probability, verdict, reasons = record["probability"], record["decision"], record["reasons"]
    except RecordInvalid as error:
        return [str(error)], 0.0
    except (KeyError, TypeError, ValueError, IndexError) as error:
        return [f"its content is no decision ({type(error).__name__})"], 0.0
    found = []
    if not _same(decision.probability, probability):
        found.append(f"probability {decision.probability!r}, recorded {probability!r}")
    if decision.verdict != verdict:
        found.append(f"{decision.verdict}, recorded {verdict}")
    if [asdict(it) for it in decision.reasons] != reasons:
        codes = [", ".join(str(it) for it in side) or "none" for side in _codes(decision.reasons, reasons)]
        found.append(f"reasons {codes[0]}; recorded {codes[1]}")
    if found and (otherwise := deciders.otherwise(record)) is not None:
        found.append(otherwise)
    return found, _distance(decision.probability, probability)


def _same(computed: float, recorded: Any) -> bool:
    """Whether both are the same to the last bit; a recorded value that is no float never is."""
    return isinstance(recorded, float) and json.dumps(computed) == json.dumps(recorded)


def _distance(computed: float, recorded: Any) -> float:
    return abs(computed - recorded) if isinstance(recorded, int | float) else 1.0


def _codes(computed: Iterable[Any], recorded: Any) -> Iterator[list[Any]]:
    yield [it.code for it in computed]
    yield [it.get("code") if isinstance(it, dict) else it for it in recorded] if isinstance(recorded, list) else []
