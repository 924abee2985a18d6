"""A model and a policy on many wire vectors at once: the decisions and reasons that `app.scoring.decider` makes."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.contract.compiling import compile_many
from app.scoring.decider import Decider
from app.scoring.forms.compiled import logistic
from app.scoring.forms.vectorised import Vectorised, vectorise
from app.scoring.model import ScoringModel
from app.scoring.policy import ABOVE, BELOW, CATEGORY, VERDICTS
from app.scoring.reasons import ELDERLY_AGE, MOST_REASONS, ROUNDING, principal_effects
from app.scoring.wording import RefusalReason

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from app.scoring.forms.vectorised import Columns

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int16]
    Verdicts = npt.NDArray[np.int8]

UNEXPLAINED = 0
NO_REASON = -1
ACCEPTED, REJECTED, REVIEWED = (VERDICTS.index(it) for it in ("ACCEPT", "REJECT", "REVIEW"))


@dataclass(frozen=True, slots=True)
class Decisions:
    """On the rows of one matrix, in their order."""

    probabilities: list[float]
    verdicts: "Verdicts"
    """Places in `app.scoring.policy.VERDICTS`."""
    reasons: "Numbers"
    """For each that is no ACCEPT a row of MOST_REASONS numbers of `RowsDecider.vocabulary`, strongest first, then
    NO_REASON."""


@dataclass(frozen=True, slots=True)
class RowsDecider:
    """As its decider, whose model has to have a vectorised form. Loads numpy; made once a model and policy.

    Raises NotCompilable.
    """

    decider: Decider
    vocabulary: list[RefusalReason] = field(init=False)
    """Every reason that there can be, by its number."""
    _rules: list[int] = field(init=False)
    """Numbers of the rules' reasons."""
    _numbers: list[dict[str, int]] = field(init=False)
    """By factor and by what is said of it."""
    _codes: "Numbers" = field(init=False)
    """One number a code, by the reason's."""
    _holds: Any = field(init=False)
    _vectorised: Vectorised = field(init=False)

    def __post_init__(self) -> None:
        import numpy as np

        wording, factors = self.decider.wording, self.decider.model.factors
        vocabulary = [wording.unexplained]
        rules = []
        for reason in wording.rule_reasons:
            rules.append(len(vocabulary))
            vocabulary.append(reason)
        numbers: list[dict[str, int]] = []
        for at, cases in enumerate(factors.cases):
            numbers.append({})
            for said in (ABOVE, BELOW, CATEGORY, *cases):
                numbers[at][said] = len(vocabulary)
                vocabulary.append(wording.named(at, said))
        known = list(dict.fromkeys(reason.code for reason in vocabulary))
        codes = np.array([known.index(reason.code) for reason in vocabulary], np.int16)
        made = {"vocabulary": vocabulary, "_rules": rules, "_numbers": numbers, "_codes": codes}
        made |= {"_holds": compile_many(wording.conditions)}
        made |= {"_vectorised": vectorise(self.decider.model.document.spec)}
        for name, value in made.items():
            object.__setattr__(self, name, value)

    def decide(self, rows: "Floats", with_reasons: bool = True) -> Decisions:
        """rows: one wire vector each, NaN where a value is missing. Without reasons the result has none for anybody."""
        import numpy as np

        inputs = self.decider.model.factors.matrix(rows)
        columns = self._vectorised.prepare(inputs)
        log_odds = self._vectorised.log_odds(columns)
        # Not numpy's exp, which rounds otherwise on some processors.
        probabilities = [logistic(each) for each in log_odds.tolist()]
        policy = self.decider.policy
        above = np.array(probabilities) >= policy.accepts_below
        by_score = np.array(probabilities) >= policy.threshold
        by_rule = self._refused_by_rule(rows)
        refused = by_score | by_rule.any(axis=1)
        verdicts = np.where(refused, REJECTED, np.where(above, REVIEWED, ACCEPTED)).astype(np.int8)
        if not with_reasons:
            return Decisions(probabilities, verdicts, np.empty((0, MOST_REASONS), np.int16))
        # What the score said is told of whom it refuses, and of whom it sends to review where no rule refuses.
        told = by_score | (verdicts == REVIEWED)
        found = np.full((len(rows), by_rule.shape[1] + inputs.shape[1]), NO_REASON, np.int16)
        for at, number in enumerate(self._rules):
            found[by_rule[:, at], at] = number
        if self.decider.reference is not None and told.any():
            scored = told.nonzero()[0]
            found[scored, by_rule.shape[1] :] = self._of_score(
                rows[scored], inputs[scored], columns[:, scored], log_odds[scored]
            )
        return Decisions(probabilities, verdicts, self._first_distinct(found[verdicts != ACCEPTED]))

    def count_reasons(self, decisions: Decisions) -> Counter[str]:
        """How often each code is given."""
        import numpy as np

        numbers, counts = np.unique(decisions.reasons[decisions.reasons != NO_REASON], return_counts=True)
        codes: Counter[str] = Counter()
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            codes[self.vocabulary[number].code] += count
        return codes

    def _refused_by_rule(self, rows: "Floats") -> "Flags":
        """One column a rule."""
        import numpy as np

        flags = np.zeros((len(rows), len(self._rules)), np.bool_)
        for at, held in enumerate(self._holds(rows.T)):
            flags[:, at] = held
        return flags

    def _first_distinct(self, found: "Numbers") -> "Numbers":
        """The first MOST_REASONS of each row that have a code of their own, or that nothing explains it."""
        import numpy as np

        codes = np.where(found == NO_REASON, NO_REASON, self._codes[found])
        chosen = found != NO_REASON
        for at in range(1, found.shape[1]):
            chosen[:, at] &= ~(codes[:, :at] == codes[:, at : at + 1]).any(axis=1)
        reasons = np.full((len(found), MOST_REASONS), NO_REASON, np.int16)
        places = np.cumsum(chosen, axis=1) - 1
        row, at = (chosen & (places < MOST_REASONS)).nonzero()
        reasons[row, places[row, at]] = found[row, at]
        reasons[reasons[:, 0] == NO_REASON, 0] = UNEXPLAINED
        return reasons

    def _of_score(self, rows: "Floats", inputs: "Floats", columns: "Columns", log_odds: "Floats") -> "Numbers":
        """Numbers of the factors' reasons, as `app.scoring.reasons.principal_effects` finds them, then NO_REASON."""
        import numpy as np

        principal = self.decider.policy.principal
        falls = self._falls(rows, inputs, columns, log_odds)
        # Stable: equals stay in the contract's order.
        order = np.argsort(-falls, axis=1, kind="stable")
        strongest = np.take_along_axis(falls, order, axis=1)
        chosen = strongest > ROUNDING
        chosen[:, 1:] &= strongest[:, 1:] >= np.maximum(principal.log_odds, principal.share * strongest[:, :1])
        for row in (~chosen[:, 0]).nonzero()[0].tolist():
            # Several factors together, which is rare: one row's own search.
            applicant = rows[row].tolist(), inputs[row].tolist(), float(log_odds[row])
            effects = principal_effects(self.decider.model, self._reference, *applicant, principal)
            order[row, : len(effects)] = [at for _, at in effects]
            chosen[row, : len(effects)] = True
        said = np.take_along_axis(self._said(rows, inputs), order, axis=1)
        numbers: Numbers = np.where(chosen, said, NO_REASON).astype(np.int16)
        return numbers

    @property
    def _reference(self) -> list[float]:
        return self.decider.reference or []

    def _said(self, rows: "Floats", inputs: "Floats") -> "Numbers":
        """The number of what is said of each factor, one row an applicant."""
        import numpy as np

        factors = self.decider.model.factors
        said = np.empty(inputs.shape, np.int16)
        for at, (cases, reference) in enumerate(zip(factors.cases, self._reference, strict=True)):
            numbers, values = self._numbers[at], inputs[:, at]
            if factors.contract.categories[at]:
                said[:, at] = numbers[CATEGORY]
            else:
                said[:, at] = np.where(values < reference, numbers[BELOW], numbers[ABOVE])
            flags = factors.case_flags(at, rows, values)
            for number in reversed(range(len(cases))):
                said[flags[:, number], at] = numbers[cases[number]]
        return said

    def _falls(self, rows: "Floats", inputs: "Floats", columns: "Columns", log_odds: "Floats") -> "Floats":
        """How much the log-odds fall with the reference's value, by row and factor; 0 where it counts not."""
        import numpy as np

        reference = np.array(self._reference)
        references = self._vectorised.prepare(reference[None])[:, 0]
        row, at = self._worse(rows, inputs, reference).nonzero()
        # One applicant for each replacement.
        replaced = columns[:, row]
        replaced[at, np.arange(len(row))] = references[at]
        after = self._vectorised.log_odds(replaced)
        falls = np.zeros(inputs.shape)
        # Of infinite log-odds the difference is no number, and no fall.
        with np.errstate(invalid="ignore"):
            falls[row, at] = log_odds[row] - after
        falls = np.where(falls > ROUNDING, falls, 0.0)
        for place, factor in enumerate(self.decider.model.contract.factors):
            if factor.step and not factor.direction:
                falls[self._step_hurts(place, factor.step, falls[:, place], inputs, log_odds), place] = 0.0
        return falls

    def _step_hurts(
        self, at: int, step: float, falls: "Floats", inputs: "Floats", log_odds: "Floats"
    ) -> "npt.NDArray[np.intp]":
        """Numbers of the rows in which a step towards the reference applicant raises the risk."""
        import numpy as np

        rows = ((falls > 0) & ~np.isnan(inputs[:, at])).nonzero()[0]
        moved, reference = inputs[rows], self._reference[at]
        values = moved[:, at]
        nearer = np.maximum(values - step, reference), np.minimum(values + step, reference)
        moved[:, at] = np.where(values > reference, *nearer)
        after = self._vectorised.log_odds(self._vectorised.prepare(moved))
        hurt: npt.NDArray[np.intp] = rows[after > log_odds[rows] + ROUNDING]
        return hurt

    def _worse(self, rows: "Floats", inputs: "Floats", reference: "Floats") -> "Flags":
        """Which factors can be reasons, one row an applicant."""
        import numpy as np

        contract = self.decider.model.contract
        directions = np.array([factor.direction for factor in contract.factors], np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            better = (inputs - reference) * directions < 0
        worse = (inputs != reference) & ~better & np.array(contract.explained)
        if contract.age_position is not None:
            elderly = rows[:, contract.age_position] >= ELDERLY_AGE
            worse &= ~(elderly[:, None] & np.array(contract.about_age))
        flags: Flags = worse
        return flags


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
