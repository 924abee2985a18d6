"""A model and a policy on many wire vectors at once: the decisions and reasons that `app.scoring.decider` makes."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.features import ELDERLY_AGE, POSITIONS, ROW_NUMBER
from app.scoring.decider import Decider, RefusalReason
from app.scoring.forms.compiled import logistic
from app.scoring.forms.vectorised import Vectorised, vectorise
from app.scoring.model import ScoringModel
from app.scoring.reasons import AGE, MOST_REASONS, ROUNDING, principal_positions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from app.scoring.forms.vectorised import Columns

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int8]

ABOVE, BELOW, MISSING = range(3)
"""What can be said of a feature's value; the reason about position p has the number 3 p + one of them."""

UNEXPLAINED = 0
BY_RULE = 1
NO_REASON = -1


@dataclass(frozen=True, slots=True)
class Decisions:
    """On the rows of one matrix, in their order."""

    probabilities: list[float]
    refused: "Flags"
    reasons: "Numbers"
    """One row of MOST_REASONS numbers of `RowsDecider.vocabulary` a refusal, strongest first, then NO_REASON."""


@dataclass(frozen=True, slots=True)
class RowsDecider:
    """As its decider, whose model has to have a vectorised form. Loads numpy; made once a model and policy.

    Raises NotCompilable.
    """

    decider: Decider
    vocabulary: dict[int, RefusalReason] = field(init=False)
    """Every reason that there can be, by its number."""
    _vectorised: Vectorised = field(init=False)

    def __post_init__(self) -> None:
        policy = self.decider.policy
        vocabulary = {UNEXPLAINED: RefusalReason(policy.unexplained.code, None, policy.unexplained.text)}
        if (rule := policy.overrides.minimum_age) is not None:
            vocabulary[BY_RULE] = RefusalReason(rule.reason.code, "age", rule.reason.text)
        for at, name in enumerate(POSITIONS):
            if name != ROW_NUMBER:
                phrases = policy.reasons[name]
                for number, phrase in enumerate((phrases.above, phrases.below, phrases.missing or phrases.above)):
                    vocabulary[3 * at + number] = RefusalReason(phrase.code, name, phrase.text)
        object.__setattr__(self, "vocabulary", vocabulary)
        object.__setattr__(self, "_vectorised", vectorise(self.decider.model.document.spec))

    def decide(self, rows: "Floats", with_reasons: bool = True) -> Decisions:
        """rows: eleven wire values each, NaN where one is missing. Without reasons the result has none for anybody."""
        import numpy as np

        columns = self._columns(rows)
        log_odds = self._vectorised.log_odds(columns)
        # Not numpy's exp, which rounds otherwise on some processors.
        probabilities = [logistic(each) for each in log_odds.tolist()]
        by_score = np.array(probabilities) >= self.decider.policy.threshold
        by_rule = self._refused_by_rule(rows)
        refused = by_score | by_rule
        if not with_reasons:
            return Decisions(probabilities, refused, np.empty((0, MOST_REASONS), np.int8))
        reasons = np.full((len(rows), MOST_REASONS + 1), NO_REASON, np.int8)
        reasons[by_rule, 0] = BY_RULE
        if self.decider.reference is not None and by_score.any():
            scored = by_score.nonzero()[0]
            found = self._of_score(rows[scored], columns[:, scored], log_odds[scored])
            after = by_rule[scored].astype(np.intp)
            reasons[scored[:, None], after[:, None] + np.arange(MOST_REASONS)] = found
        reasons = reasons[refused, :MOST_REASONS]
        reasons[reasons[:, 0] == NO_REASON, 0] = UNEXPLAINED
        return Decisions(probabilities, refused, reasons)

    def count_reasons(self, decisions: Decisions) -> Counter[str]:
        """How often each code is given."""
        import numpy as np

        numbers, counts = np.unique(decisions.reasons[decisions.reasons != NO_REASON], return_counts=True)
        codes: Counter[str] = Counter()
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            codes[self.vocabulary[number].code] += count
        return codes

    def _columns(self, rows: "Floats") -> "Columns":
        return self._vectorised.prepare(rows[:, self.decider.model.document.positions])

    def _refused_by_rule(self, rows: "Floats") -> "Flags":
        import numpy as np

        rule = self.decider.policy.overrides.minimum_age
        return np.zeros(len(rows), np.bool_) if rule is None else rows[:, AGE] < rule.years

    def _of_score(self, rows: "Floats", columns: "Columns", log_odds: "Floats") -> "Numbers":
        """Numbers of the features' reasons, as `app.scoring.reasons.principal_positions` finds them."""
        import numpy as np

        reference = np.array(self.decider.reference)
        falls = self._falls(rows, columns, log_odds, reference)
        # Stable: equals stay in wire order.
        strongest = np.argsort(-falls, axis=1, kind="stable")[:, :MOST_REASONS]
        chosen = np.take_along_axis(falls, strongest, axis=1) > ROUNDING
        for row in (~chosen[:, 0]).nonzero()[0].tolist():
            # Several features together, which is rare: one row's own search.
            found = principal_positions(self.decider.model, reference.tolist(), rows[row].tolist())
            strongest[row, : len(found)] = found
            chosen[row, : len(found)] = True
        values = np.take_along_axis(rows, strongest, axis=1)
        said = np.where(np.isnan(values), MISSING, np.where(values < reference[strongest], BELOW, ABOVE))
        return np.where(chosen, 3 * strongest + said, NO_REASON).astype(np.int8)

    def _falls(self, rows: "Floats", columns: "Columns", log_odds: "Floats", reference: "Floats") -> "Floats":
        """How much the log-odds fall with the reference's value, by row and wire position; 0 where it counts not."""
        import numpy as np

        references = self._columns(reference[None])[:, 0]
        counts = np.zeros((len(rows), len(references)), np.bool_)
        for number, at in enumerate(self.decider.model.document.positions):
            if POSITIONS[at] != ROW_NUMBER:
                counts[:, number] = rows[:, at] != reference[at]
            if at == AGE:
                counts[:, number] &= ~(rows[:, AGE] >= ELDERLY_AGE)
        row, at_input = counts.nonzero()
        # One applicant for each replacement.
        replaced = columns[:, row]
        replaced[at_input, np.arange(len(row))] = references[at_input]
        after = self._vectorised.log_odds(replaced)
        falls = np.zeros(rows.shape)
        # Of infinite log-odds the difference is no number, and no fall.
        with np.errstate(invalid="ignore"):
            falls[row, np.array(self.decider.model.document.positions)[at_input]] = log_odds[row] - after
        return np.where(falls > ROUNDING, falls, 0.0)


def out_of_range(model: ScoringModel, rows: "Floats") -> "Flags":
    """As ScoringModel.out_of_range: one row a wire vector, one column for each of the model's ranges."""
    import numpy as np

    # Column by column, as numpy is quick along many values.
    beyond = np.zeros((len(model.ranges), len(rows)), np.bool_)
    for number, (at, _, low, high) in enumerate(model.ranges):
        values = rows[:, at]
        beyond[number] = (values < low) | (values > high)
    flags: Flags = beyond.T
    return flags
