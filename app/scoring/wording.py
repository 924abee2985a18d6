"""The words of a policy for each factor of a contract, and its rules, ready to be asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contract.compiling import compile_one
from app.contract.computed import ComputedFactors
from app.contract.contract import Contract
from app.scoring.policy import ABOVE, BELOW, CATEGORY, Phrase, Policy


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """One reason of a REJECT."""

    code: str
    feature: str | None
    """The factor, or the field that a rule is about; None when nothing explains the refusal."""
    text: str


class Wording:
    """Made once a policy and a contract. A factor that the policy has no words for is told as unexplained."""

    def __init__(self, policy: Policy, factors: ComputedFactors) -> None:
        contract = factors.contract
        self.unexplained = _reason(None, policy.unexplained)
        self.rules = [(_rule_field(contract, rule.when), rule.reason) for rule in policy.rules]
        self.rule_reasons = [_reason(*each) for each in self.rules]
        """In the order of the rules."""
        self._holds = compile_one([contract.condition(rule.when).root for rule in policy.rules])
        self.conditions = [contract.condition(rule.when).root for rule in policy.rules]
        """Of the rules, for many rows at once."""
        self._factors = factors
        self._categories = contract.categories
        self._by_name = [
            {
                name: _reason(factor.name, policy.reasons.get(factor.name, {}).get(name, policy.unexplained))
                for name in (ABOVE, BELOW, CATEGORY, *factors.cases[at])
            }
            for at, factor in enumerate(contract.factors)
        ]

    def refusals(self, vector: Sequence[float]) -> list[RefusalReason]:
        """Of the rules that refuse this wire vector."""
        return [reason for holds, reason in zip(self._holds(vector), self.rule_reasons, strict=True) if holds]

    def of(self, at: int, vector: Sequence[float], value: float, reference: float) -> RefusalReason:
        """What is said of the factor at that place. value: the applicant's; reference: the reference applicant's."""
        said = self._factors.case(at, vector, value) or self.side(at, value, reference)
        return self._by_name[at][said]

    def side(self, at: int, value: float, reference: float) -> str:
        """What is said where no case holds."""
        if self._categories[at]:
            return CATEGORY
        return BELOW if value < reference else ABOVE

    def named(self, at: int, said: str) -> RefusalReason:
        """The reason about the factor at that place, by what is said."""
        return self._by_name[at][said]


def _reason(feature: str | None, phrase: Phrase) -> RefusalReason:
    return RefusalReason(phrase.code, feature, phrase.text)


def _rule_field(contract: Contract, condition: str) -> str | None:
    """The field that a rule is about, where it reads only one."""
    reads = contract.condition(condition).reads
    return next(iter(reads)) if len(reads) == 1 else None
