"""What the outcomes say of the decisions: by month and version of the model, and by band of probability."""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from app.audit.store.outcome_rows import KnownOutcome
from app.audit.store.recorded_policies import RecordedPolicies
from app.audit.store.repository import Store
from app.contract.contract import Contract
from app.reports.challenged import ChallengedCounts
from app.reports.decided import PastDecision
from app.reports.factor_shifts import FactorShifts
from app.reports.figures import Band, area, bands, expected_area, share, stability
from app.reports.outcome_tables import OutcomeReport, Period
from app.reports.reviewed import ReviewCounts
from app.reports.vintages import VintageCounts
from app.reports.watched import MONTHS, Watched, watched
from app.training import measures
from app.training.data import Floats, Integers


@dataclass(slots=True)
class _Gathered:
    decisions: int = 0
    accepted: "array[float]" = field(default_factory=lambda: array("d"))
    all: "array[float]" = field(default_factory=lambda: array("d"))
    known: "array[float]" = field(default_factory=lambda: array("d"))
    bad: "array[int]" = field(default_factory=lambda: array("b"))


def outcome_report(
    decisions: Iterable[PastDecision], known: Mapping[str, KnownOutcome], store: Store, contract: Contract
) -> OutcomeReport:
    """Of decisions in the order of their time. known: outcomes by the decision's id. store: whose policies decided.
    contract: that the applications were made under.

    Raises RecordUnavailable, and RecordInvalid when a decision is not what was written.
    """
    gathered: dict[tuple[str, str], _Gathered] = {}
    counts, vintages = ReviewCounts(known), VintageCounts()
    challenged, shifts = ChallengedCounts(known, RecordedPolicies(store)), FactorShifts(contract)
    for it in decisions:
        found = gathered.setdefault((it.month, it.version), _Gathered())
        found.decisions += 1
        found.all.append(it.probability)
        challenged.add(it)
        shifts.add(it)
        if it.review is not None:
            counts.add(it.review)
        if it.verdict == "ACCEPT":
            found.accepted.append(it.probability)
            if (outcome := known.get(it.key)) is not None:
                found.known.append(it.probability)
                found.bad.append(outcome.bad)
                vintages.add(it.month, outcome)
    order = sorted(gathered, key=lambda it: (it[0], int(it[1]) if it[1].isdigit() else 0, it[1]))
    first = _floats(gathered[order[0]].all) if order else np.empty(0)
    by_version = {version: _bands(version, gathered) for version in dict.fromkeys(it[1] for it in order)}
    looked = [_watched(version, gathered) for version in by_version]
    return OutcomeReport(
        periods=[_period(*key, gathered[key], first) for key in order],
        bands={version: told for version, told in by_version.items() if told},
        watched=[it for it in looked if it is not None],
        reviews=counts.figures(),
        vintages=vintages.figures(),
        challenged=challenged.figures(),
        shifts=shifts.figures(),
    )


def _period(month: str, version: str, found: _Gathered, first: Floats) -> Period:
    accepted, probability, bad = _floats(found.accepted), _floats(found.known), _outcome(found.bad)
    return Period(
        month=month,
        version=version,
        decisions=found.decisions,
        approval_rate=len(accepted) / found.decisions,
        expected_auc=expected_area(accepted),
        stability=stability(_floats(found.all), first),
        outcomes=len(bad),
        bad_rate=share(int(bad.sum()), len(bad)),
        expected_bad_rate=float(probability.mean()) if len(bad) else float("nan"),
        auc=area(bad, probability),
        brier=measures.brier(bad, probability) if len(bad) else float("nan"),
    )


def _bands(version: str, gathered: Mapping[tuple[str, str], _Gathered]) -> list[Band]:
    mine = [found for (_, its), found in gathered.items() if its == version]
    known = np.concatenate([_floats(found.known) for found in mine])
    return bands(np.concatenate([_outcome(found.bad) for found in mine]), known)


def _watched(version: str, gathered: Mapping[tuple[str, str], _Gathered]) -> Watched | None:
    """None of a version that has no outcome yet."""
    months = sorted(month for (month, its), found in gathered.items() if its == version and found.bad)[-MONTHS:]
    if not months:
        return None
    mine = [gathered[month, version] for month in months]
    outcome = np.concatenate([_outcome(found.bad) for found in mine])
    return watched(version, months, outcome, np.concatenate([_floats(found.known) for found in mine]))


def _floats(values: "array[float]") -> Floats:
    return np.array(values, np.float64)


def _outcome(values: "array[int]") -> Integers:
    return np.array(values, np.int64)
