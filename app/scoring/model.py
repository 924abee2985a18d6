"""ScoringModel: one registered model, ready to score wire vectors; read from and written to model.json."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from math import nan
from operator import itemgetter
from typing import Any

from app.errors import ModelRefused
from app.features import POSITIONS
from app.scoring.forms.compiled import LogOdds, Scorer, compile_log_odds, logit, scorer_of
from app.scoring.forms.extract import Spec

FORMAT = 1
"""Of model.json. A file of another format is pulled again."""

Row = Sequence[float | None]


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
    """One feature among the rows the model was trained on; shares has one entry more than edges."""

    minimum: float
    maximum: float
    edges: list[float]
    shares: list[float]
    missing_share: float


@dataclass(frozen=True, slots=True)
class Reference:
    """The population the model was trained on; None of a feature of the applicant means missing."""

    features: dict[str, FeatureReference]
    score_edges: list[float]
    score_shares: list[float]
    applicant: dict[str, float | None]
    golden_rows: list[list[float | None]]
    """Ten features a row, in the order of FEATURES."""
    golden_probabilities: list[float]

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Reference":
        features = {name: FeatureReference(**value) for name, value in document["features"].items()}
        return cls(**{**document, "features": features})


@dataclass(frozen=True, slots=True)
class ModelDocument:
    """What model.json holds."""

    identity: Identity
    positions: list[int]
    """Wire positions that the model takes, in the order of its inputs."""
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
        return cls(
            identity=Identity(**document["identity"]),
            positions=list(document["positions"]),
            spec=document["spec"],
            reference=None if reference is None else Reference.from_json(reference),
            figures=document["figures"],
            # Not in what an older release pulled.
            positive_class=document.get("positive_class", ""),
            warnings=document.get("warnings", []),
        )


@dataclass(frozen=True, slots=True)
class ScoringModel:
    """A model in the process that answers requests."""

    document: ModelDocument
    scorer: Scorer
    scorer_log_odds: LogOdds | None = None
    """The scorer's log-odds; None when it only gives probabilities."""
    ranges: list[tuple[int, str, float, float]] = field(init=False)
    """(position, name, minimum, maximum) of each feature in training."""
    inputs: Callable[[Sequence[float]], Sequence[float]] = field(init=False, repr=False, compare=False)
    """The model's inputs from a wire vector, in their order."""

    def __post_init__(self) -> None:
        reference = self.document.reference
        found = [] if reference is None else reference.features.items()
        ranges = [(POSITIONS.index(name), name, known.minimum, known.maximum) for name, known in found]
        object.__setattr__(self, "ranges", ranges)
        object.__setattr__(self, "inputs", itemgetter(*self.document.positions))

    @classmethod
    def compiled(cls, document: ModelDocument) -> "ScoringModel":
        """Raises NotCompilable when the document holds no compiled form."""
        log_odds = compile_log_odds(document.spec)
        return cls(document, scorer_of(log_odds), log_odds)

    @property
    def identity(self) -> Identity:
        return self.document.identity

    def score(self, vector: Sequence[float]) -> float:
        """Probability of default for a wire vector of eleven floats, NaN where a value is missing."""
        return self.scorer(self.inputs(vector))

    def log_odds(self, vector: Sequence[float]) -> float:
        """As score, on the scale on which effects of features add up; a number even where score rounds to 0 or 1."""
        inputs = self.inputs(vector)
        return logit(self.scorer(inputs)) if self.scorer_log_odds is None else self.scorer_log_odds(inputs)

    def out_of_range(self, vector: Sequence[float]) -> list[str]:
        """Names of the features whose value lies outside what training saw, in wire order. NaN never does."""
        return [name for at, name, low, high in self.ranges if vector[at] < low or vector[at] > high]


def wire_vector(features: Row) -> list[float]:
    """The eleven floats for ten features in the order of FEATURES; None becomes NaN, the row number 0."""
    return [0.0, *(nan if value is None else float(value) for value in features)]
