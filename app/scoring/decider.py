"""A model and a policy together: from a wire vector to a decision and its reasons, the same wherever it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.features import POSITIONS
from app.scoring.model import ScoringModel
from app.scoring.policy import Phrase, Policy, Verdict, decide
from app.scoring.reasons import MOST_REASONS, principal_positions, reference_vector


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """One reason of a REJECT."""

    code: str
    feature: str | None
    """None when no feature explains the refusal."""
    text: str


@dataclass(slots=True)
class Decision:
    """On one applicant."""

    probability: float
    verdict: Verdict
    reasons: list[RefusalReason]
    """Strongest first, one to four of a REJECT, none of an ACCEPT."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides by one model under one policy."""

    model: ScoringModel
    policy: Policy
    reference: list[float] | None = field(init=False)
    """The applicant that refused ones are compared with."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", reference_vector(self.model, self.policy.threshold))

    def decide(self, vector: Sequence[float]) -> Decision:
        """vector: eleven wire values, NaN where one is missing."""
        probability = self.model.score(vector)
        verdict = self.policy.decide(vector, probability)
        return Decision(probability, verdict, [] if verdict == "ACCEPT" else self._reasons(vector, probability))

    def _reasons(self, vector: Sequence[float], probability: float) -> list[RefusalReason]:
        """A rule that refuses comes first; what the model scored counts only when the score refuses too."""
        found = [_reason(feature, phrase) for feature, phrase in self.policy.refused_by_rule(vector)]
        if self.reference is not None and decide(probability, self.policy.threshold) == "REJECT":
            for at in principal_positions(self.model, self.reference, vector):
                name = POSITIONS[at]
                found.append(_reason(name, self.policy.reasons[name].of(vector[at], self.reference[at])))
        return found[:MOST_REASONS] or [_reason(None, self.policy.unexplained)]


def _reason(feature: str | None, phrase: Phrase) -> RefusalReason:
    return RefusalReason(phrase.code, feature, phrase.text)
