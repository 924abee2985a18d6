"""The wire types of requests: what the API reads, shared by its validation, its OpenAPI document and the tests."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from app.features import POSITIONS

MOST_ROWS = 10_000
"""Of one batch request."""

FEATURES_EXAMPLE: list[float] = [0, 0.31, 52, 0, 0.36, 5400, 8, 0, 1, 0, 1]

# No coercion: "1.5" in quotes or `true` where a number belongs is a mistake of the caller's.
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Utilisation = Annotated[float, Field(description="Balance on cards and credit lines divided by their limits.")]
Age = Annotated[float, Field(description="Age in years.")]
Late30 = Annotated[float, Field(description="Times 30 to 59 days late in the last two years.")]
DebtRatio = Annotated[float, Field(description="Monthly debt payments and living costs divided by gross income.")]
Income = Annotated[float | None, Field(description="Gross monthly income; null when it is unknown.")]
CreditLines = Annotated[float, Field(description="Open loans and credit lines.")]
Late90 = Annotated[float, Field(description="Times 90 days late or more.")]
RealEstate = Annotated[float, Field(description="Mortgages and other loans on real estate.")]
Late60 = Annotated[float, Field(description="Times 60 to 89 days late in the last two years.")]
Dependents = Annotated[float | None, Field(description="Dependents in the family; null when it is unknown.")]


def _at(position: int) -> Any:
    """The name and the example of a wire position."""
    return Field(title=POSITIONS[position], examples=[FEATURES_EXAMPLE[position]])


Features = tuple[
    Annotated[float, _at(0), Field(description="Row number of the public file; no model ever sees it.")],
    Annotated[Utilisation, _at(1)],
    Annotated[Age, _at(2)],
    Annotated[Late30, _at(3)],
    Annotated[DebtRatio, _at(4)],
    Annotated[Income, _at(5)],
    Annotated[CreditLines, _at(6)],
    Annotated[Late90, _at(7)],
    Annotated[RealEstate, _at(8)],
    Annotated[Late60, _at(9)],
    Annotated[Dependents, _at(10)],
]
"""Eleven values, in the order of app.features.POSITIONS."""

# Written as a call because three of the names are no Python identifiers.
_TenFeatures = TypedDict(
    "_TenFeatures",
    {
        "RevolvingUtilizationOfUnsecuredLines": Annotated[Utilisation, _at(1)],
        "age": Annotated[Age, _at(2)],
        "NumberOfTime30-59DaysPastDueNotWorse": Annotated[Late30, _at(3)],
        "DebtRatio": Annotated[DebtRatio, _at(4)],
        "MonthlyIncome": Annotated[Income, _at(5)],
        "NumberOfOpenCreditLinesAndLoans": Annotated[CreditLines, _at(6)],
        "NumberOfTimes90DaysLate": Annotated[Late90, _at(7)],
        "NumberRealEstateLoansOrLines": Annotated[RealEstate, _at(8)],
        "NumberOfTime60-89DaysPastDueNotWorse": Annotated[Late60, _at(9)],
        "NumberOfDependents": Annotated[Dependents, _at(10)],
    },
)

APPLICANT_EXAMPLE = dict(zip(POSITIONS[1:], FEATURES_EXAMPLE[1:], strict=True))


@with_config(STRICT)
class Applicant(_TenFeatures):
    """An applicant by the names of the ten features, each of them present."""


@with_config({**STRICT, "json_schema_extra": {"oneOf": [{"required": ["features"]}, {"required": ["applicant"]}]}})
class PredictData(TypedDict, total=False):
    """One applicant, as eleven values or by name: exactly one of the two."""

    features: Annotated[
        Features, Field(description="Eleven values in the order of /meta.", examples=[FEATURES_EXAMPLE])
    ]
    applicant: Annotated[Applicant, Field(description="Ten features by name.", examples=[APPLICANT_EXAMPLE])]


@with_config(STRICT)
class PredictRequest(TypedDict):
    """Body of POST /predict."""

    data: Annotated[PredictData, Field(description="The applicant.", examples=[{"features": FEATURES_EXAMPLE}])]


@with_config(STRICT)
class BatchData(TypedDict):
    """Many applicants."""

    # Validation stops at the first bad row: one is enough to refuse, and the list of all could be endless.
    rows: Annotated[
        list[Features],
        Field(
            min_length=1,
            max_length=MOST_ROWS,
            fail_fast=True,
            description="Rows of eleven values.",
            examples=[[FEATURES_EXAMPLE]],
        ),
    ]


@with_config(STRICT)
class BatchRequest(TypedDict):
    """Body of POST /predict/batch."""

    data: Annotated[BatchData, Field(description="The applicants.", examples=[{"rows": [FEATURES_EXAMPLE]}])]
