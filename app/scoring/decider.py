"""A model and a policy together: from a wire vector to a decision and its reasons, the same wherever it is asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.contract.expressions import ExpressionInvalid
from app.errors import PolicyInvalid
from app.scoring.model import ScoringModel
from app.scoring.policy import Policy, Verdict
from app.scoring.reasons import MOST_REASONS, principal_effects, reference_inputs
from app.scoring.wording import RefusalReason, Wording


@dataclass(slots=True)
class Decision:
    """On one applicant."""

    probability: float
    verdict: Verdict
    reasons: list[RefusalReason]
    """Strongest first, one to four of a REJECT or REVIEW, none of an ACCEPT."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides by one model under one policy. Raises PolicyInvalid when a rule reads what the contract has not."""

    model: ScoringModel
    policy: Policy
    reference: list[float] | None = field(init=False)
    """The factors of the applicant that refused ones are compared with."""
    wording: Wording = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", reference_inputs(self.model, self.policy.accepts_below))
        try:
            wording = Wording(self.policy, self.model.factors)
        except ExpressionInvalid as error:
            raise PolicyInvalid(f"policy {self.policy.version} does not fit the model's contract: {error}") from error
        object.__setattr__(self, "wording", wording)

    def decide(self, vector: Sequence[float]) -> Decision:
        """vector: the wire values, NaN where one is missing."""
        inputs = self.model.factors.of(vector)
        probability, log_odds = self.model.scored(inputs)
        refusals = self.wording.refusals(vector)
        by_score = self.policy.verdict(probability)
        if not refusals and by_score == "ACCEPT":
            return Decision(probability, "ACCEPT", [])
        found = list(refusals)
        if by_score == "REJECT" or not refusals:
            found += self._of_score(vector, inputs, log_odds)
        verdict: Verdict = "REJECT" if refusals else by_score
        return Decision(probability, verdict, distinct(found)[:MOST_REASONS] or [self.wording.unexplained])

    def verdict(self, vector: Sequence[float], probability: float) -> Verdict:
        """Of a wire vector that has that probability."""
        return "REJECT" if self.wording.refusals(vector) else self.policy.verdict(probability)

    def _of_score(self, vector: Sequence[float], inputs: Sequence[float], log_odds: float) -> list[RefusalReason]:
        """What the model scored, which is told after a rule that refuses only when the score refuses too."""
        if (reference := self.reference) is None:
            return []
        effects = principal_effects(self.model, reference, vector, inputs, log_odds, self.policy.principal)
        return [self.wording.of(at, vector, inputs[at], reference[at]) for _, at in effects]


def distinct(reasons: Iterable[RefusalReason]) -> list[RefusalReason]:
    """Each code once, where it comes first: two factors may have the same thing to say."""
    found: dict[str, RefusalReason] = {}
    for reason in reasons:
        found.setdefault(reason.code, reason)
    return list(found.values())
