"""What a report of outcomes holds, and how it is told on a terminal."""

from dataclasses import asdict, dataclass, field
from typing import Any

from app.reports.challenged import Challenged
from app.reports.factor_shifts import WORTH_A_LOOK, FactorShift
from app.reports.figures import Band, Share
from app.reports.reviewed import Reviewed
from app.reports.vintages import AGES, Vintage
from app.reports.watched import Watched
from app.terminal import Part, as_markdown, as_text, interval, number

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
    challenged: list[Challenged] = field(default_factory=list)
    shifts: list[FactorShift] = field(default_factory=list)

    @property
    def moved(self) -> list[FactorShift]:
        """The factors that are worth a look."""
        return [it for it in self.shifts if it.value >= WORTH_A_LOOK]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"note": ACCEPTED_ONLY}

    def __str__(self) -> str:
        return as_text(self._parts())

    def to_markdown(self) -> str:
        return as_markdown("Outcomes", self._parts())

    def _parts(self) -> list[Part]:
        rows = [["month", "version", "decisions", "approved", "PSI", "outcomes", "bad", "95 %", "expected"]]
        rows[0] += ["AUC", "95 %", "expected", "Brier"]
        for it in self.periods:
            told = [
                it.month,
                it.version,
                f"{it.decisions:,}",
                number(it.approval_rate, ".2%"),
                number(it.stability, ".3f"),
            ]
            told += [
                f"{it.outcomes:,}",
                number(it.bad_rate.value, ".2%"),
                interval(it.bad_rate.low, it.bad_rate.high, ".2%"),
            ]
            told += [number(it.expected_bad_rate, ".2%") + (" off" if it.off else ""), number(it.auc.value, ".4f")]
            told += [interval(it.auc.low, it.auc.high, ".3f"), number(it.expected_auc, ".4f")]
            rows.append([*told, number(it.brier, ".5f")])
        parts: list[Part] = [rows]
        for version, found in self.bands.items():
            lines = [[f"version {version}", "outcomes", "expected", "observed", "95 %"]]
            for band in found:
                name = f"{band.low:g} to {band.high:g}"
                observed = [number(band.observed.value, ".2%"), interval(band.observed.low, band.observed.high, ".2%")]
                expected = number(band.expected, ".2%") + (" off" if band.off else "")
                lines.append([name, f"{band.rows:,}", expected, *observed])
            parts.append(lines)
        for seen in self.watched:
            about = f"version {seen.version}, decisions of {seen.first} to {seen.last}"
            parts += [f"{about}: {finding}" for finding in seen.findings]
        if self.vintages:
            lines = [["decided in", "outcomes", *(f"bad in {age} months" for age in AGES)]]
            for each in self.vintages:
                shares = [number(it, ".2%") for it in each.bad_within]
                lines.append([each.month, f"{each.outcomes:,}", *shares, *["-"] * (len(AGES) - len(shares))])
            parts.append(lines)
        if self.reviews:
            lines = [["said", "decided", "by", "reviews", "outcomes", "bad", "95 %"]]
            for one in self.reviews:
                bad = [number(one.bad_rate.value, ".2%"), interval(one.bad_rate.low, one.bad_rate.high, ".2%")]
                lines.append([one.was, one.now, one.by, f"{one.reviews:,}", f"{one.outcomes:,}", *bad])
            parts.append(lines)
        if self.challenged:
            lines = [["version", "challenger", "both scored", "outcomes", "AUC", "its AUC", "Brier", "its Brier"]]
            lines[0] += ["only version accepts", "of them bad", "only challenger accepts"]
            for pair in self.challenged:
                figures = [number(each, ".4f") for each in (pair.auc.value, pair.challenger_auc.value)]
                figures += [number(each, ".5f") for each in (pair.brier, pair.challenger_brier)]
                swaps = [f"{pair.swapped_out:,}", number(pair.swapped_out_bad.value, ".2%"), f"{pair.swapped_in:,}"]
                of = [pair.version, pair.challenger, f"{pair.decisions:,}", f"{pair.outcomes:,}"]
                lines.append([*of, *figures, *swaps])
            parts.append(lines)
        if self.moved:
            lines = [["month", "factor", "PSI"]]
            lines += [[moved.month, moved.factor, number(moved.value, ".3f")] for moved in self.moved]
            parts.append(lines)
        return [*parts, ACCEPTED_ONLY]
