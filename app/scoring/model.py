"""ScoringModel: one registered model, ready to score wire vectors; read from and written to model.json."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from app.contract.computed import ComputedFactors
from app.contract.contract import Contract
from app.contract.fields import Value
from app.errors import ModelRefused
from app.scoring.forms.compiled import LogOdds, Scorer, compile_log_odds, logistic, logit, scorer_of
from app.scoring.forms.extract import Spec
from app.scoring.forms.whole import require_whole

FORMAT = 2
"""Of model.json. A file of another format is pulled again."""

Row = Sequence[Value]
"""The values of the asked fields, as JSON has them."""


@dataclass(frozen=True)
class Identity:
    """Which model this is, resolved once when it was pulled."""

    name: str
    version: str
    uri: str
    """Names this one version for good: models:/name/version or runs:/run/path."""
    run_id: str
    digest: str
    """SHA-256, in hex, of the model's files."""
    trained_at: float
    """Seconds since 1970."""

    @cached_property
    def lasting(self) -> dict[str, str]:
        """What tells for good which model it is."""
        return {"name": self.name, "version": self.version, "uri": self.uri, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class FeatureReference:
    """One field among the rows the model was trained on; shares has one entry more than edges."""

    minimum: float
    maximum: float
    edges: list[float]
    shares: list[float]
    missing_share: float


@dataclass(frozen=True, slots=True)
class Reference:
    """The population the model was trained on."""

    features: dict[str, FeatureReference]
    """By field."""
    score_edges: list[float]
    score_shares: list[float]
    applicant: dict[str, float | None]
    """By factor; None where nobody like that had it."""
    golden_rows: Sequence[Row]
    """The asked fields' values, in the contract's order."""
    golden_probabilities: list[float]

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Reference":
        features = {name: FeatureReference(**value) for name, value in document["features"].items()}
        return cls(**{**document, "features": features})


@dataclass(frozen=True, slots=True)
class ModelDocument:
    """What model.json holds."""

    identity: Identity
    contract: Contract
    """Its factors are the model's inputs, in their order."""
    spec: Spec
    """Of app.scoring.forms.extract; kind "uncompiled" when the model itself has to be loaded."""
    reference: Reference | None
    figures: dict[str, float]
    positive_class: str = ""
    """The outcome that counts as default, where the model's own classes did not say it and somebody had to."""
    warnings: list[str] = field(default_factory=list)
    """What whoever relies on the model should know of it, a sentence each."""
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "ModelDocument":
        """Raises ModelRefused for a document of another format."""
        if document.get("format") != FORMAT:
            raise ModelRefused(f"model.json has the format {document.get('format')!r}; this release reads {FORMAT}")
        reference = document["reference"]
        try:
            contract = Contract.from_json(document["contract"])
        except ValidationError as error:
            raise ModelRefused(f"model.json holds no contract that this release reads: {_first(error)}") from error
        return cls(
            identity=Identity(**document["identity"]),
            contract=contract,
            spec=document["spec"],
            reference=None if reference is None else Reference.from_json(reference),
            figures=document["figures"],
            positive_class=document["positive_class"],
            warnings=document["warnings"],
        )


@dataclass(frozen=True, slots=True)
class ScoringModel:
    """A model in the process that answers requests."""

    document: ModelDocument
    scorer: Scorer
    scorer_log_odds: LogOdds | None = None
    """The scorer's log-odds; None when it only gives probabilities."""
    ranges: list[tuple[int, str, float, float]] = field(init=False)
    """(position, name, minimum, maximum) of each field in training."""
    factors: ComputedFactors = field(init=False, repr=False, compare=False)
    """The model's inputs from a wire vector, in their order."""

    def __post_init__(self) -> None:
        contract, reference = self.document.contract, self.document.reference
        found = [] if reference is None else reference.features.items()
        ranges = [(contract.names.index(name), name, known.minimum, known.maximum) for name, known in found]
        object.__setattr__(self, "ranges", ranges)
        object.__setattr__(self, "factors", ComputedFactors(contract))

    @classmethod
    def compiled(cls, document: ModelDocument) -> "ScoringModel":
        """Raises NotCompilable when the document holds no compiled form, ModelRefused when it is damaged."""
        require_whole(document.spec, len(document.contract.factors), document.identity.uri)
        log_odds = compile_log_odds(document.spec)
        return cls(document, scorer_of(log_odds), log_odds)

    @property
    def identity(self) -> Identity:
        return self.document.identity

    @property
    def contract(self) -> Contract:
        return self.document.contract

    def score(self, vector: Sequence[float]) -> float:
        """Probability of default for a wire vector, NaN where a value is missing."""
        return self.scorer(self.factors.of(vector))

    def scored(self, inputs: Sequence[float]) -> tuple[float, float]:
        """Probability of default and its log-odds, of the factors' values."""
        if self.scorer_log_odds is None:
            probability = self.scorer(inputs)
            return probability, logit(probability)
        log_odds = self.scorer_log_odds(inputs)
        return logistic(log_odds), log_odds

    def log_odds(self, inputs: Sequence[float]) -> float:
        """Of the factors' values, on the scale on which their effects add up.

        A number even where the probability rounds to 0 or 1.
        """
        return logit(self.scorer(inputs)) if self.scorer_log_odds is None else self.scorer_log_odds(inputs)

    def out_of_range(self, vector: Sequence[float]) -> list[str]:
        """Names of the fields whose value lies outside what training saw, in wire order. NaN never does."""
        return [name for at, name, low, high in self.ranges if vector[at] < low or vector[at] > high]


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}"
