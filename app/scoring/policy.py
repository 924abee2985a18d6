"""The policy: from a probability of default to ACCEPT or REJECT, and the words for why."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, field
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from app.features import FEATURES, NULLABLE, POSITIONS

Verdict = Literal["ACCEPT", "REJECT"]

AGE = POSITIONS.index("age")
VERSION_DIGITS = 12

# Strict: a code that YAML reads as a truth value or a date is a mistake, not a text.
STRICT = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)


def decide(probability: float, threshold: float) -> Verdict:
    """REJECT when the probability of default reaches the threshold, itself included."""
    return "REJECT" if probability >= threshold else "ACCEPT"


@dataclass(frozen=True, slots=True, config=STRICT)
class Phrase:
    """What an applicant is told; the code is for the lender's systems."""

    code: Annotated[str, Field(pattern="^[A-Z][A-Z0-9_]{1,39}$")]
    text: Annotated[str, Field(min_length=10, max_length=200)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Phrases:
    """What is said of one feature when its value lies above the reference applicant's, below it, or is missing."""

    above: Phrase
    below: Phrase
    missing: Phrase | None = None

    def of(self, value: float, reference: float) -> Phrase:
        """value: NaN when missing."""
        if value != value and self.missing is not None:
            return self.missing
        return self.below if value < reference else self.above


@dataclass(frozen=True, slots=True, config=STRICT)
class MinimumAge:
    """Refuses applicants younger than that."""

    years: Annotated[float, Field(gt=0, le=62)]
    reason: Phrase


@dataclass(frozen=True, slots=True, config=STRICT)
class Overrides:
    """Rules that refuse whatever the model says."""

    minimum_age: MinimumAge | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Policy:
    """What a lender decides by beside the model. Two policies of the same content have the same version."""

    threshold: Annotated[float, Field(gt=0, lt=1)]
    overrides: Overrides
    reasons: dict[str, Phrases]
    """By feature, every one of FEATURES."""
    unexplained: Phrase
    """Of a refusal that no feature explains."""
    version: str = field(init=False, default="")
    """The first digits, in hex, of the SHA-256 of the content."""

    def __post_init__(self) -> None:
        if problems := [*self._wrong_features(), *self._ambiguous_codes()]:
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
        document = asdict(self)
        del document["version"]
        return document

    def decide(self, vector: Sequence[float], probability: float) -> Verdict:
        """vector: the eleven wire values."""
        return "REJECT" if self.refused_by_rule(vector) else decide(probability, self.threshold)

    def refused_by_rule(self, vector: Sequence[float]) -> list[tuple[str, Phrase]]:
        """The overrides that refuse this applicant: the feature that each is about, and what to say."""
        rule = self.overrides.minimum_age
        return [("age", rule.reason)] if rule is not None and vector[AGE] < rule.years else []

    def _wrong_features(self) -> Iterator[str]:
        for name in FEATURES:
            if name not in self.reasons:
                yield f"reasons.{name} is missing; every feature needs its entry"
            elif name in NULLABLE and self.reasons[name].missing is None:
                yield f"reasons.{name}.missing is missing; this feature may be left out by an applicant"
            elif name not in NULLABLE and self.reasons[name].missing is not None:
                yield f"reasons.{name}.missing has no use; this feature is always given"
        for name in sorted(self.reasons.keys() - set(FEATURES)):
            yield f"reasons.{name} is no feature; the features are {', '.join(FEATURES)}"

    def _ambiguous_codes(self) -> Iterator[str]:
        texts: dict[str, str] = {}
        for phrase in self._phrases():
            if texts.setdefault(phrase.code, phrase.text) != phrase.text:
                yield f"code {phrase.code} has two texts; a code stands for one"

    def _phrases(self) -> Iterator[Phrase]:
        for phrases in self.reasons.values():
            yield from (phrase for phrase in (phrases.above, phrases.below, phrases.missing) if phrase is not None)
        if self.overrides.minimum_age is not None:
            yield self.overrides.minimum_age.reason
        yield self.unexplained
