"""The wire types of answers, shared by the routes, the OpenAPI document and the tests."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.contract.factors import Factor
from app.contract.fields import Direction, Field as FieldOfContract, Kind
from app.scoring.policy import Verdict
from app.scoring.reasons import MOST_REASONS


class Answer(BaseModel):
    # Many fields are called model_…, a prefix that would be reserved otherwise.
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Reason(Answer):
    """One reason of a refusal, in the words of the policy."""

    code: str = Field(description="Of the text, for programs.", examples=["UTILISATION_HIGH"])
    feature: str | None = Field(
        description="The factor that counted, or the field of a rule; null when neither explains the refusal.",
        examples=["utilisation"],
    )
    text: str = Field(
        description="What the applicant is told.",
        examples=["Balances on credit cards and credit lines are high compared with their limits."],
    )


class RowDecision(Answer):
    """The decision on one row."""

    decision_id: str | None = Field(
        description="Under which the decision is kept, a UUIDv7; null when it is not kept.",
        examples=["01919b2c-7a3e-7c11-9d4f-2b8e6a5c0d17"],
    )
    probability: float = Field(ge=0, le=1, description="Of a default within two years.", examples=[0.0142])
    decision: Verdict = Field(
        description="REJECT when probability >= threshold, or when a rule of the policy refuses. REVIEW, where the"
        " policy has a band for it, when a person decides.",
        examples=["ACCEPT"],
    )
    reasons: list[Reason] = Field(
        max_length=MOST_REASONS,
        description="Why it is no ACCEPT: one to four reasons, strongest first. Empty for an ACCEPT.",
        examples=[[]],
    )
    out_of_range: list[str] = Field(
        description="Features whose value lies outside what the model was trained on.", examples=[[]]
    )


class ServedBy(Answer):
    threshold: float = Field(description="REJECT from this probability on.", examples=[0.05])
    policy_version: str = Field(
        description="The policy that this decision was made under: a digest of its content.", examples=["abdb2713aa05"]
    )
    model_uri: str = Field(
        description="The configured name of the model.", examples=["models:/credit-default-model@production"]
    )
    model_version: str = Field(description="The version that made this decision.", examples=["3"])


class PredictAnswer(RowDecision, ServedBy):
    """A decision and what it was made with."""


class BatchAnswer(ServedBy):
    """One decision a row, in the order of the rows, all by one model under one policy."""

    predictions: list[RowDecision] = Field(
        description="As many as there were rows.",
        examples=[
            [
                {
                    "decision_id": "01919b2c-7a3e-7c11-9d4f-2b8e6a5c0d17",
                    "probability": 0.0142,
                    "decision": "ACCEPT",
                    "reasons": [],
                    "out_of_range": [],
                }
            ]
        ],
    )


class ExplainedFactor(Answer):
    """What one factor does to the probability, all others as they are."""

    factor: str = Field(description="Name of the factor.", examples=["utilisation"])
    unit: str = Field(description="Of value and reference.", examples=["share"])
    value: float | str | None = Field(description="The applicant's; null where it is missing.", examples=[0.93])
    reference: float | str | None = Field(
        description="That of the reference applicant, who is just accepted; null where it is missing.", examples=[0.31]
    )
    effect: float | None = Field(
        description="Log-odds of default that the applicant's value adds to what the reference's would give; below 0"
        " it lowers the risk.",
        examples=[0.84],
    )


class Explanation(ServedBy):
    """What the service would decide, and what each factor does to it. It is no decision and is kept nowhere."""

    probability: float = Field(ge=0, le=1, description="Of a default within two years.", examples=[0.0142])
    decision: Verdict = Field(description="What POST /predict would answer.", examples=["ACCEPT"])
    reasons: list[Reason] = Field(max_length=MOST_REASONS, description="What it would answer.", examples=[[]])
    out_of_range: list[str] = Field(
        description="Features whose value lies outside what the model was trained on.", examples=[[]]
    )
    factors: list[ExplainedFactor] | None = Field(
        description="In the order of /meta; null where the model has no reference applicant.",
        examples=[[{"factor": "utilisation", "unit": "share", "value": 0.93, "reference": 0.31, "effect": 0.84}]],
    )


class Health(Answer):
    """A model is loaded."""

    status: Literal["ok"] = Field(description="Always ok; without a model the answer is 503.", examples=["ok"])
    model_uri: str = Field(
        description="The configured name of the model.", examples=["models:/credit-default-model@production"]
    )
    model_version: str = Field(description="The version that is loaded.", examples=["3"])


class ProbeAnswer(Answer):
    """Of a probe."""

    status: Literal["alive", "ready"] = Field(description="What the probe asked for holds.", examples=["ready"])


class Position(Answer):
    """One position of the wire vector."""

    position: int = Field(description="Index into features.", examples=[5])
    name: str = Field(description="Name of the field.", examples=["income"])
    nullable: bool = Field(description="Whether null is allowed.", examples=[True])
    type: Kind = Field(description="What it holds; what is ignored only keeps its place.", examples=["number"])
    values: list[str] | None = Field(description="Of a category, all that there are, else null.", examples=[None])
    minimum: float | None = Field(description="The least that is allowed.", examples=[0])
    maximum: float | None = Field(description="The most that is allowed.", examples=[None])
    unit: str = Field(description="Of the number.", examples=["dollars a month"])
    description: str = Field(description="What it is.", examples=["Gross monthly income."])


class SeenFactor(Answer):
    """What the model sees of an application."""

    name: str = Field(description="As reasons name it.", examples=["income"])
    expression: str = Field(description="How it is computed from the fields.", examples=["max(income, 0)"])
    risk: Direction = Field(description="Which way the risk may move as it grows.", examples=["falls"])
    unit: str = Field(description="Of its number.", examples=["dollars a month"])


def position_of(at: int, asked: FieldOfContract) -> Position:
    """A field at its place."""
    told = {name: getattr(asked, name) for name in ("name", "nullable", "type", "minimum", "maximum", "unit")}
    return Position(position=at, values=list(asked.values) or None, description=asked.description, **told)


def factor_of(factor: Factor) -> SeenFactor:
    """A factor of a model."""
    return SeenFactor(name=factor.name, expression=factor.expression, risk=factor.risk, unit=factor.unit)


class LastReload(Answer):
    """The last attempt to load a model or a policy."""

    outcome: Literal["loaded", "refused", "unavailable", "failed"] = Field(
        description="How it ended; what served before serves on unless it is loaded.", examples=["loaded"]
    )
    at: str = Field(description="When, UTC.", examples=["2026-01-31T12:00:00Z"])
    reason: str | None = Field(description="Why it did not end in loaded, else null.", examples=[None])


class Registry(Answer):
    """The last contact with the model registry."""

    up: bool = Field(description="Whether it answers.", examples=[True])
    since: str = Field(description="Since when it is so, UTC.", examples=["2026-01-31T12:00:00Z"])


class Challenging(Answer):
    """The model that scores each request too, without deciding."""

    model_uri: str = Field(
        description="Its configured name; empty: none is wanted.", examples=["models:/credit-default-model@challenger"]
    )
    model_version: str | None = Field(description="Its version, null while there is none.", examples=["4"])
    last_reload: LastReload | None = Field(description="The last attempt to load it.", examples=[None])


class Meta(Answer):
    """The model that answers now, whatever the registry says meanwhile; null where none is loaded."""

    model_uri: str = Field(
        description="The configured name of the model.", examples=["models:/credit-default-model@production"]
    )
    threshold: float = Field(description="REJECT from this probability on.", examples=[0.05])
    review: float | None = Field(
        description="REVIEW from this probability on, below the threshold; null where nobody reviews.", examples=[None]
    )
    policy_version: str = Field(description="The policy in force.", examples=["abdb2713aa05"])
    n_features_expected: int = Field(description="Length of features.", examples=[11])
    git_commit: str = Field(description="Commit the service was built from.", examples=["3f2c1e0"])
    model_version: str | None = Field(description="The version that is loaded.", examples=["3"])
    features: list[Position] = Field(
        description="The wire vector.",
        examples=[[position_of(5, FieldOfContract("income", nullable=True, minimum=0.0)).model_dump()]],
    )
    contract_version: str = Field(description="The contract whose fields callers send.", examples=["90a2c9f309b3"])
    factors: list[SeenFactor] | None = Field(
        description="What the loaded model sees of the fields.",
        examples=[[{"name": "income", "expression": "income", "risk": "falls", "unit": "dollars a month"}]],
    )
    run_id: str | None = Field(description="The training run of the model.", examples=["0c6e5d4f"])
    digest: str | None = Field(description="SHA-256 of the model's files.", examples=["9f86d081"])
    loaded_at: str | None = Field(description="When it was taken into service, UTC.", examples=["2026-01-31T12:00:00Z"])
    trained_at: str | None = Field(description="When it was trained, UTC.", examples=["2026-01-30T09:30:00Z"])
    figures: dict[str, float] | None = Field(description="Figures of its training.", examples=[{"held_out_auc": 0.868}])
    warnings: list[str] | None = Field(
        description="What whoever relies on the loaded model should know of it: columns that it does not name, say.",
        examples=[[]],
    )
    stale: bool = Field(
        description="Whether the loaded model is not known to be what the registry names now.", examples=[False]
    )
    registry: Registry | None = Field(
        description="The registry; null before it was first asked.",
        examples=[{"up": True, "since": "2026-01-31T12:00:00Z"}],
    )
    last_reload: LastReload | None = Field(description="The last attempt to load a model.", examples=[None])
    last_policy_reload: LastReload | None = Field(
        description="The last attempt to take the policy file up; null before the first one.", examples=[None]
    )
    challenger: Challenging = Field(
        description="The model whose decisions are counted and not given.",
        examples=[{"model_uri": "models:/credit-default-model@challenger", "model_version": "4", "last_reload": None}],
    )


class FieldError(Answer):
    """One thing that is wrong with the body."""

    pointer: str = Field(description="Where, as a JSON Pointer (RFC 6901).", examples=["/data/features"])
    detail: str = Field(
        description="What is wrong and what is allowed.", examples=["features must hold exactly 11 values"]
    )


class Problem(Answer):
    """An error, as RFC 9457 lays it out."""

    type: str = Field(description="Where this server tells more of it.", examples=["/problems/invalid"])
    title: str = Field(description="The status in words.", examples=["Unprocessable Content"])
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(description="What is wrong and what to do.", examples=["features must hold exactly 11 values"])
    request_id: str = Field(description="Quote it to the operator; it is in the logs.", examples=["c0ffee-1"])
    errors: list[FieldError] | None = Field(
        default=None,
        description="With status 422: the first 20 things that are wrong.",
        examples=[[{"pointer": "/data/features", "detail": "features must hold exactly 11 values"}]],
    )
