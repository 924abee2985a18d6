"""What the outcomes say of the decisions: by month and version of the model, and by band of probability."""

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from app.audit.store.outcome_rows import KnownOutcome
from app.audit.store.repository import Stored
from app.audit.store.review_rows import Review, final
from app.errors import RecordInvalid
from app.reports.figures import Band, Share, area, bands, expected_area, share, stability
from app.reports.reviewed import ReviewCounts, Reviewed
from app.reports.vintages import AGES, Vintage, VintageCounts
from app.reports.watched import MONTHS, Watched, watched
from app.terminal import table
from app.training import measures
from app.training.data import Floats, Integers

ACCEPTED_ONLY = (
    "Outcomes exist for accepted applicants only. Nothing here says how the refused would have paid, and a ROC AUC"
    " among the accepted is lower than that among all who ask."
)


@dataclass(frozen=True, slots=True)
class Period:
    """The decisions of one month by one version of a model."""

    month: str
    version: str
    decisions: int
    approval_rate: float
    expected_auc: float
    """Among the accepted, if the probabilities are right."""
    stability: float
    """Population stability index of the probabilities against the first month's of this report."""
    outcomes: int
    """Of the accepted."""
    bad_rate: Share
    expected_bad_rate: float
    """Mean probability of those whose outcome is known."""
    auc: Share
    brier: float

    @property
    def off(self) -> bool:
        """Whether the expected rate lies outside of the observed one's interval."""
        return bool(self.outcomes) and not self.bad_rate.low <= self.expected_bad_rate <= self.bad_rate.high


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """Periods in the order of months and versions; bands by version; what alerts watch, of versions with outcomes."""

    periods: list[Period]
    bands: dict[str, list[Band]]
    watched: list[Watched]
    reviews: list[Reviewed] = field(default_factory=list)
    """What people decided; of a report that an earlier release kept none."""
    vintages: list[Vintage] = field(default_factory=list)
    """As the reviews."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"note": ACCEPTED_ONLY}

    def __str__(self) -> str:
        rows = [["month", "version", "decisions", "approved", "PSI", "outcomes", "bad", "95 %", "expected"]]
        rows[0] += ["AUC", "95 %", "expected", "Brier"]
        for it in self.periods:
            told = [it.month, it.version, f"{it.decisions:,}", _percent(it.approval_rate), _number(it.stability, 3)]
            told += [f"{it.outcomes:,}", _percent(it.bad_rate.value), _interval(it.bad_rate, _percent)]
            told += [_percent(it.expected_bad_rate) + (" off" if it.off else ""), _number(it.auc.value, 4)]
            told += [_interval(it.auc, lambda value: _number(value, 3)), _number(it.expected_auc, 4)]
            rows.append([*told, _number(it.brier, 5)])
        parts = [table(rows, figures=True)]
        for version, found in self.bands.items():
            lines = [[f"version {version}", "outcomes", "expected", "observed", "95 %"]]
            for band in found:
                name = f"{band.low:g} to {band.high:g}"
                observed = [_percent(band.observed.value), _interval(band.observed, _percent)]
                expected = _percent(band.expected) + (" off" if band.off else "")
                lines.append([name, f"{band.rows:,}", expected, *observed])
            parts.append(table(lines, figures=True))
        for seen in self.watched:
            about = f"version {seen.version}, decisions of {seen.first} to {seen.last}"
            parts += [f"{about}: {finding}" for finding in seen.findings]
        if self.vintages:
            lines = [["decided in", "outcomes", *(f"bad in {age} months" for age in AGES)]]
            for each in self.vintages:
                shares = [_percent(it) for it in each.bad_within]
                lines.append([each.month, f"{each.outcomes:,}", *shares, *["-"] * (len(AGES) - len(shares))])
            parts.append(table(lines, figures=True))
        if self.reviews:
            lines = [["said", "decided", "by", "reviews", "outcomes", "bad", "95 %"]]
            for one in self.reviews:
                bad = [_percent(one.bad_rate.value), _interval(one.bad_rate, _percent)]
                lines.append([one.was, one.now, one.by, f"{one.reviews:,}", f"{one.outcomes:,}", *bad])
            parts.append(table(lines, figures=True))
        return "\n\n".join([*parts, ACCEPTED_ONLY])


@dataclass(slots=True)
class _Gathered:
    decisions: int = 0
    accepted: "array[float]" = field(default_factory=lambda: array("d"))
    all: "array[float]" = field(default_factory=lambda: array("d"))
    known: "array[float]" = field(default_factory=lambda: array("d"))
    bad: "array[int]" = field(default_factory=lambda: array("b"))


def outcome_report(
    records: Iterable[Stored],
    known: Mapping[str, KnownOutcome],
    by_people: Mapping[str, Review],
    done: Callable[[int], None],
) -> OutcomeReport:
    """Of decisions in any order. known, by_people: outcomes and reviews by the decision's id.

    done: called with how many more were read.

    Raises RecordUnavailable, and RecordInvalid when a decision is not what was written.
    """
    gathered: dict[tuple[str, str], _Gathered] = {}
    counts, vintages = ReviewCounts(known), VintageCounts()
    for stored in records:
        try:
            fields = stored.to_link().fields
            key, probability = (fields["at"][:7], fields["model"]["version"]), float(fields["probability"])
            review = by_people.get(stored.key)
            accepted = final(fields["decision"], review) == "ACCEPT"
        except (RecordInvalid, KeyError, TypeError, ValueError) as error:
            raise RecordInvalid(
                f"decision {stored.key} is not what was written; credit audit verify says more"
            ) from error
        found = gathered.setdefault(key, _Gathered())
        found.decisions += 1
        found.all.append(probability)
        if review is not None:
            counts.add(review)
        if accepted:
            found.accepted.append(probability)
            if (outcome := known.get(stored.key)) is not None:
                found.known.append(probability)
                found.bad.append(outcome.bad)
                vintages.add(key[0], outcome)
        done(1)
    order = sorted(gathered, key=lambda it: (it[0], int(it[1]) if it[1].isdigit() else 0, it[1]))
    first = _floats(gathered[order[0]].all) if order else np.empty(0)
    by_version = {version: _bands(version, gathered) for version in dict.fromkeys(it[1] for it in order)}
    periods = [_period(*key, gathered[key], first) for key in order]
    looked = [_watched(version, gathered) for version in by_version]
    seen = [it for it in looked if it is not None]
    by_band = {version: told for version, told in by_version.items() if told}
    return OutcomeReport(periods, by_band, seen, counts.figures(), vintages.figures())


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


def _percent(value: float) -> str:
    return f"{value:.2%}" if value == value else "-"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if value == value else "-"


def _interval(found: Share, written: Callable[[float], str]) -> str:
    return f"{written(found.low)} to {written(found.high)}" if found.value == found.value else "-"
