"""The wire types of decisions that are read back from the record, and how its content becomes one."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field, create_model

from app.scoring.policy import Verdict
from app.serving.api.inputs import RequestTypes
from app.serving.api.schema import Answer, Reason

EXAMPLE = "01a0c450-6c00-7000-80b6-5093f2a50944"
MODEL_EXAMPLE = {
    "name": "credit-default-model",
    "version": "3",
    "uri": "models:/credit-default-model/3",
    "digest": "9f86",
}


class RecordedModel(Answer):
    """A version of a model, as it was when it scored."""

    name: str = Field(description="Registered name.", examples=["credit-default-model"])
    version: str = Field(description="Its version.", examples=["3"])
    uri: str = Field(description="Names this version for good.", examples=["models:/credit-default-model/3"])
    digest: str = Field(description="SHA-256 of the model's files.", examples=["9f86d081"])


class RecordedScore(Answer):
    """What a challenger gave."""

    model: RecordedModel = Field(description="The challenger.", examples=[MODEL_EXAMPLE])
    probability: float = Field(ge=0, le=1, description="Of a default within two years.", examples=[0.0139])


class ReviewReason(Answer):
    """Of a refusal by a person, in the words of the policy."""

    code: str = Field(description="For the lender's systems.", examples=["LATE_30_DAYS"])
    text: str = Field(description="For the applicant.", examples=["Payments 30 to 59 days late in the last two years"])


class RecordedReview(Answer):
    """What a person decided; it holds in place of what the service did."""

    verdict: Verdict = Field(description="ACCEPT or REJECT.", examples=["ACCEPT"])
    by: str = Field(description="Who.", examples=["J. Doe"])
    at: str = Field(description="When, UTC.", examples=["2026-02-01T09:30:00.000001Z"])
    note: str = Field(description="Why, for the lender.", examples=["Income shown by three payslips."])
    reasons: list[ReviewReason] = Field(
        description="What the applicant is told of a REJECT; empty for an ACCEPT.", examples=[[]]
    )


class Record(Answer):
    """A decision, with all that it followed from."""

    decision_id: str = Field(description="As it was answered.", examples=[EXAMPLE])
    at: str = Field(description="When it was made, UTC.", examples=["2026-01-31T12:00:00.000001Z"])
    request_id: str = Field(description="X-Request-ID of its request.", examples=["c0ffee-1"])
    caller: str | None = Field(description="Who asked; null when nobody has to say.", examples=["branch-12"])
    application_id: str | None = Field(
        description="The application that it is about; null when nobody said.", examples=["A-2026-001734"]
    )
    trace_id: str | None = Field(
        description="Of the trace (W3C traceparent) that its request named; null where it named none.",
        examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
    )
    row: int | None = Field(description="Its row, counted from 0, when it was one of a batch.", examples=[None])
    features: Any
    model: RecordedModel = Field(description="What scored.", examples=[MODEL_EXAMPLE])
    policy_version: str = Field(description="The policy that it was made under.", examples=["abdb2713aa05"])
    probability: float = Field(ge=0, le=1, description="Of a default within two years.", examples=[0.0142])
    decision: Verdict = Field(description="As it was answered.", examples=["ACCEPT"])
    reasons: list[Reason] = Field(description="As they were answered.", examples=[[]])
    challenger: RecordedScore | None = Field(
        description="The score of a challenger; null where there was none.", examples=[None]
    )
    review: RecordedReview | None = Field(
        description="What a person decided, which holds then; null while nobody has.", examples=[None]
    )
    writer: str = Field(description="The chain of records that it is a link of.", examples=[EXAMPLE])
    sequence: int = Field(ge=1, description="Its place in the chain.", examples=[17])
    hash: str = Field(description="SHA-256 of the record's content.", examples=["9f86d081"])


class Records(Answer):
    """Decisions on one application, newest first."""

    decisions: list[Any]
    cursor: str | None = Field(
        description="To be sent for the page after this one; null where there is none.",
        examples=["2026-01-31T12:00:00.000001Z_01a0c450-6c00-7000-80b6-5093f2a50944"],
    )


COPIED = ("at", "request_id", "caller", "row", "model", "policy_version", "probability", "decision", "reasons")
CHAIN = ("writer", "sequence", "hash")


def records_of(record: type[Record]) -> type[Records]:
    """A page of such records."""
    told = Field(description="As many as fit on a page.", examples=[[]])
    kind: Any = list.__class_getitem__(record)
    return create_model("Records", __base__=Records, __doc__=Records.__doc__, decisions=(kind, told))


def record_of(types: RequestTypes) -> type[Record]:
    """The record whose features are the fields of a contract."""
    features = Field(description="The fields as received.", examples=[types.applicant_example])
    return create_model("Record", __base__=Record, __doc__=Record.__doc__, features=(types.applicant, features))


def told_of(found: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """As Record, from what the record gave. names: of the fields; a decision under another contract has numbers."""
    values = found["features"]
    named = names if len(names) == len(values) else [str(place) for place in range(1, len(values) + 1)]
    copied = {name: found[name] for name in (*COPIED, *CHAIN, "challenger", "review")}
    # Neither is in every decision: a client may name none, and older releases knew none.
    copied |= {name: found.get(name) for name in ("application_id", "trace_id")}
    return {"decision_id": found["key"], "features": dict(zip(named, values, strict=True)), **copied}
