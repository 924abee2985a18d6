"""A policy with words for models that take the fields as they stand, whichever side a value is on."""

from dataclasses import replace

from app.contract.factors import identity
from app.policy_file import load_policy
from app.scoring.policy import Phrase, Policy, Principal, words_for
from app.settings import Settings
from harness.fields import CONTRACT, FEATURES, PLAIN, POSITIONS

PLAIN_ALL = CONTRACT.with_factors([identity(name) for name in POSITIONS])
"""With the row number among what the model takes."""

CODES = {
    "RevolvingUtilizationOfUnsecuredLines": "UTILISATION",
    "age": "AGE",
    "NumberOfTime30-59DaysPastDueNotWorse": "LATE_30",
    "DebtRatio": "DEBT",
    "MonthlyIncome": "INCOME",
    "NumberOfOpenCreditLinesAndLoans": "LINES",
    "NumberOfTimes90DaysLate": "LATE_90",
    "NumberRealEstateLoansOrLines": "REAL_ESTATE",
    "NumberOfTime60-89DaysPastDueNotWorse": "LATE_60",
    "NumberOfDependents": "DEPENDENTS",
}


def plain_policy(principal: Principal | None = None) -> Policy:
    """The shipped rules and threshold; UTILISATION_ABOVE is said of a utilisation above the reference's."""

    def words_about(name: str) -> dict[str, Phrase]:
        said = words_for(PLAIN, FEATURES.index(name))[1]
        return {each: Phrase(f"{CODES[name]}_{each.upper()}", f"The {name} is {each}.") for each in said}

    words = {name: words_about(name) for name in FEATURES}
    own = load_policy(Settings())
    return replace(own, reasons=words, principal=principal or Principal(0.0, 0.0))
