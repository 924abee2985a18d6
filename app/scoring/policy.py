"""The policy: from a probability of default to ACCEPT, REJECT or, where it says so, REVIEW, and the words for why."""

import json
from collections.abc import Iterator
from dataclasses import asdict, field
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from app.contract.contract import Contract
from app.contract.expressions import ExpressionInvalid
from app.contract.factors import MISSING

Verdict = Literal["ACCEPT", "REJECT", "REVIEW"]
VERDICTS: tuple[Verdict, ...] = ("ACCEPT", "REJECT", "REVIEW")
"""REVIEW: a person decides."""

VERSION_DIGITS = 12

# Strict: a code that YAML reads as a truth value or a date is a mistake, not a text.
STRICT = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

ABOVE, BELOW, CATEGORY = "above", "below", "category"
"""What is said of a factor where no case holds: by the side of the reference applicant's number on which its own is,
or, of a factor that is a category, whatever it is."""


def decide(probability: float, threshold: float, review: float | None = None) -> Verdict:
    """REJECT from the threshold on, itself included; below it REVIEW from `review` on, where there is one."""
    if probability >= threshold:
        return "REJECT"
    return "ACCEPT" if review is None or probability < review else "REVIEW"


@dataclass(frozen=True, slots=True, config=STRICT)
class Phrase:
    """What an applicant is told; the code is for the lender's systems."""

    code: Annotated[str, Field(pattern="^[A-Z][A-Z0-9_]{1,39}$")]
    text: Annotated[str, Field(min_length=10, max_length=200)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Rule:
    """Refuses whoever it holds for, whatever the model says."""

    when: str
    """A condition over the contract's fields."""
    reason: Phrase


@dataclass(frozen=True, slots=True, config=STRICT)
class Principal:
    """How much a factor has to count before it is a reason; the one that counts most always is."""

    share: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Of the strongest effect."""
    log_odds: Annotated[float, Field(ge=0, le=10)] = 0.05


@dataclass(frozen=True, slots=True, config=STRICT)
class Policy:
    """What a lender decides by beside the model. Two policies of the same content have the same version."""

    threshold: Annotated[float, Field(gt=0, lt=1)]
    reasons: dict[str, dict[str, Phrase]]
    """By factor; of each the words for `above`, `below`, `category`, `missing` and its cases, as it needs them."""
    unexplained: Phrase
    """Of a refusal that no factor explains."""
    rules: tuple[Rule, ...] = ()
    principal: Principal = field(default_factory=Principal)
    review: Annotated[float, Field(gt=0, lt=1)] | None = None
    """REVIEW from this probability on, below the threshold; None where nobody reviews."""
    version: str = field(init=False, default="")
    """The first digits, in hex, of the SHA-256 of the content."""

    def __post_init__(self) -> None:
        if problems := [*self._ambiguous_codes(), *self._empty_band()]:
            raise ValueError("; ".join(problems))
        content = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        object.__setattr__(self, "version", sha256(content.encode()).hexdigest()[:VERSION_DIGITS])

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Policy":
        """Raises pydantic's ValidationError with every place that is wrong."""
        # Through JSON, because only there does the strict validation take mappings for what they describe.
        return TypeAdapter(cls).validate_json(json.dumps(document, default=str))

    def to_json(self) -> dict[str, Any]:
        """The content, as a policy file holds it."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        del document["version"]
        if self.review is None:
            # So that a policy without it keeps the version that it had before there was one.
            del document["review"]
        return document

    @property
    def accepts_below(self) -> float:
        """The probability that nobody is accepted from, whatever else holds."""
        return self.threshold if self.review is None else self.review

    def verdict(self, probability: float) -> Verdict:
        """Where no rule refuses."""
        return decide(probability, self.threshold, self.review)

    @property
    def rule_codes(self) -> set[str]:
        """Of the reasons that rules give."""
        return {rule.reason.code for rule in self.rules}

    @property
    def phrases(self) -> dict[str, str]:
        """Every reason that can be told: the text by the code."""
        return {phrase.code: phrase.text for phrase in self._phrases()}

    def problems(self, contract: Contract) -> Iterator[str]:
        """What keeps it from deciding under a contract, a sentence each.

        Words for factors that the contract has not are no problem: another model may have them.
        """
        for number, rule in enumerate(self.rules):
            try:
                contract.condition(rule.when)
            except ExpressionInvalid as error:
                yield f"rules.{number}.when: {error}"
        for at, factor in enumerate(contract.factors):
            if not contract.explained[at]:
                continue
            words = self.reasons.get(factor.name, {}).keys()
            needed, allowed = words_for(contract, at)
            if not words:
                yield f"reasons.{factor.name} is missing; it needs {', '.join(needed)}"
                continue
            yield from (f"reasons.{factor.name}.{name} is missing" for name in needed if name not in words)
            for name in sorted(words - {*allowed}):
                yield f"reasons.{factor.name}.{name} has no use; there are {', '.join(allowed)}"

    def _ambiguous_codes(self) -> Iterator[str]:
        texts: dict[str, str] = {}
        for phrase in self._phrases():
            if texts.setdefault(phrase.code, phrase.text) != phrase.text:
                yield f"code {phrase.code} has two texts; a code stands for one"

    def _empty_band(self) -> Iterator[str]:
        if self.review is not None and self.review >= self.threshold:
            yield (
                f"review is {self.review:g}, which is not below the threshold of {self.threshold:g}: lower it, or leave"
                " it out and nobody reviews"
            )

    def _phrases(self) -> Iterator[Phrase]:
        for phrases in self.reasons.values():
            yield from phrases.values()
        yield from (rule.reason for rule in self.rules)
        yield self.unexplained


def words_for(contract: Contract, at: int) -> tuple[list[str], list[str]]:
    """What the words about the factor at that place need, and what else they may have beside it.

    A factor with a direction is a reason on one side only.
    """
    factor, root = contract.factors[at], contract.expressions[at].root
    if root.kind == "category":
        sides = [CATEGORY]
    else:
        sides = {"rises": [ABOVE], "falls": [BELOW], "free": [ABOVE, BELOW]}[factor.risk]
    needed = [*sides, *factor.cases]
    if root.field is not None and root.field.nullable:
        return [*needed, MISSING], [*needed, MISSING]
    return needed, [*needed, MISSING]
