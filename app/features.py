"""The wire vector: eleven positions, their names, and which of them may be missing."""

ROW_NUMBER = "row_number"
"""Position 0. Accepted so that rows of the public file can be sent as they are; no model ever sees it."""

FEATURES: tuple[str, ...] = (
    "RevolvingUtilizationOfUnsecuredLines",
    "age",
    "NumberOfTime30-59DaysPastDueNotWorse",
    "DebtRatio",
    "MonthlyIncome",
    "NumberOfOpenCreditLinesAndLoans",
    "NumberOfTimes90DaysLate",
    "NumberRealEstateLoansOrLines",
    "NumberOfTime60-89DaysPastDueNotWorse",
    "NumberOfDependents",
)
"""The ten features of an applicant, in the order of positions 1 to 10."""

POSITIONS: tuple[str, ...] = (ROW_NUMBER, *FEATURES)

NULLABLE: frozenset[str] = frozenset({"MonthlyIncome", "NumberOfDependents"})
"""Features that may be missing: `null` on the wire, an empty cell or NA in a file, NaN in a model's input."""

NAMELESS = ("", "Unnamed: 0")
"""What a file's nameless first column, the row number, is called once it has been read."""

ROW_NUMBER_NAMES: frozenset[str] = frozenset(
    {*NAMELESS, "index", "id", "row", "row_id", ROW_NUMBER, "X", "...1", "V1", "_c0", "__index_level_0__"}
)
"""What a row number's column is called: by people, and by R, Spark and Arrow where it has no name."""

MISSING_CELLS = ("", "NA")
"""What a CSV cell holds when its value is missing; any other word is a wrong value, not a missing one."""

TARGET = "SeriousDlqin2yrs"
"""The outcome in the training file: 1 when the applicant was 90 days late or worse within two years."""

RISK_DIRECTION: dict[str, int] = {
    "RevolvingUtilizationOfUnsecuredLines": 1,
    "age": -1,
    "NumberOfTime30-59DaysPastDueNotWorse": 1,
    "NumberOfTimes90DaysLate": 1,
    "NumberOfTime60-89DaysPastDueNotWorse": 1,
}
"""Which way the risk may move as a feature grows: 1 never falls, -1 never rises. A feature not named here is free.

Past-due counts and utilisation by common sense; age because 12 CFR 1002.6(b)(2) forbids that being
older counts against an applicant of 62 or more.
"""

ELDERLY_AGE = 62.0
"""From this age (years) 12 CFR 1002.2(o) calls an applicant elderly; reports and the gate look at them apart."""
