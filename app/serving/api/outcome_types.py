"""The wire types of POST /outcomes."""

from pydantic import BaseModel, ConfigDict, Field

from app.serving.api.inputs import APPLICATION_ID_PATTERN
from app.serving.api.records import EXAMPLE
from app.serving.api.schema import Answer

MOST_OUTCOMES = 10_000
"""In one request."""


EXAMPLE_OUTCOME = {"application_id": "A-2026-001734", "outcome": 1, "observed": "2026-12-31"}


class OutcomeGiven(BaseModel):
    """What became of one accepted decision, by its id or by that of its application: exactly one of the two."""

    model_config = ConfigDict(extra="forbid", strict=True)

    decision_id: str | None = Field(None, description="As it was answered.", examples=[EXAMPLE])
    application_id: str | None = Field(
        None,
        pattern=APPLICATION_ID_PATTERN,
        description="Its newest accepted decision is meant.",
        examples=["A-2026-001734"],
    )
    outcome: int | str = Field(description="The contract's bad or good value.", examples=[1])
    observed: str = Field(description="The day on which that was known.", examples=["2026-01-31"])


class OutcomesRequest(BaseModel):
    """Outcomes that are taken together or not at all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    outcomes: list[OutcomeGiven] = Field(
        min_length=1, max_length=MOST_OUTCOMES, description="Of any decisions.", examples=[[EXAMPLE_OUTCOME]]
    )


class OutcomesAnswer(Answer):
    """What became of the request's outcomes."""

    new: int = Field(ge=0, description="Not known before.", examples=[12])
    corrected: int = Field(ge=0, description="Known otherwise before; both are kept.", examples=[0])
    known: int = Field(ge=0, description="Known already, and left as they are.", examples=[0])
