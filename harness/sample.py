"""A seeded table of made-up applicants with the columns and the oddities of the Give Me Some Credit file.

Every number comes from a distribution with a formula; no row of any real file is in it. It lets the whole
system be tried without data that may not be handed on, and it is no statement about real applicants.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.fields import FEATURES, TARGET

ROWS = 20_000
BAD_RATE = 0.067

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def synthetic_frame(seed: int, rows: int = ROWS) -> pd.DataFrame:
    """The table, as reading a file with a nameless first column would give it."""
    random = np.random.default_rng(seed)
    age = np.clip(np.round(21 + 80 * random.beta(2.0, 3.1, rows)), 21, 103)
    # How hard pressed an applicant is: seen by nobody, and behind utilisation, late payments and thin income.
    strain = random.normal(size=rows) - 0.25 * (age - 52) / 15
    codes, code = random.random(rows) < 0.0018, np.where(random.random(rows) < 0.05, 96.0, 98.0)
    codes[:2], code[:2] = True, (96.0, 98.0)
    late_30, late_60, late_90 = (
        np.where(codes, code, np.minimum(random.poisson(np.exp(base + 1.05 * strain)), 12))
        for base in (-2.05, -3.6, -3.3)
    )
    utilisation = _utilisation(random, strain)
    income, no_income = _income(random, strain)
    dependents = np.minimum(random.poisson(np.clip(1.1 - 0.02 * np.abs(age - 42), 0.1, None)), 20).astype(np.float64)
    dependents[no_income & (random.random(rows) < 0.132)] = np.nan
    real_estate = np.minimum(random.poisson(0.55 + 0.9 * (age > 35)), 30).astype(np.float64)
    lines = real_estate + random.negative_binomial(3, 0.29, rows)
    debt = _debt_ratio(random, no_income)

    log_odds = _log_odds(utilisation, age, late_30, late_60, late_90, debt, no_income, codes, lines)
    outcome = (random.random(rows) < _probability(log_odds)).astype(np.int64)
    age[random.integers(rows)] = 0.0

    columns = (utilisation, age, late_30, debt, income, lines, late_90, real_estate, late_60, dependents)
    frame = pd.DataFrame(dict(zip(FEATURES, columns, strict=True)))
    frame.insert(0, TARGET, outcome)
    frame = _with_duplicates(random, frame)
    whole = [name for name in frame if frame[name].notna().all() and (frame[name] % 1 == 0).all()]
    frame = frame.astype(dict.fromkeys(whole, np.int64))
    frame.insert(0, "Unnamed: 0", np.arange(1, rows + 1))
    return frame


def _utilisation(random: np.random.Generator, strain: Floats) -> Floats:
    """Share of the credit lines in use: often 0 or 0.9999999, sometimes above 1, now and then plainly dollars."""
    rows = len(strain)
    values = 1.0 / (1.0 + np.exp(1.35 - 1.25 * strain - 0.9 * random.normal(size=rows)))
    chance = random.random(rows)
    values[(chance < 0.14) & (strain < 0.0)] = 0.0
    values[(chance > 0.86) & (strain > 0.0)] = 0.9999999
    over = (chance > 0.45) & (chance < 0.57) & (strain > 0.9)
    values[over] = 1.0 + random.beta(1.2, 4.0, int(over.sum()))
    dollars = random.random(rows) < 0.0016
    values[dollars] = np.round(10 + random.lognormal(6.8, 1.2, int(dollars.sum())))
    return np.round(values, 9)


def _income(random: np.random.Generator, strain: Floats) -> tuple[Floats, Flags]:
    """Dollars a month, missing for a fifth; a few are 0 or 1."""
    rows = len(strain)
    income = np.round(random.lognormal(8.63, 0.62, rows) * np.exp(-0.1 * strain))
    odd = random.random(rows)
    income[odd < 0.0108] = 0.0
    income[(odd >= 0.0108) & (odd < 0.0148)] = 1.0
    missing = random.random(rows) < 0.198
    income[missing] = np.nan
    return income, missing


def _debt_ratio(random: np.random.Generator, no_income: Floats | Flags) -> Floats:
    """Debt over income, or where income is missing the debt itself in whole dollars."""
    rows = len(no_income)
    ratio = np.round(random.lognormal(-1.22, 0.85, rows), 9)
    return np.where(no_income, np.round(random.lognormal(7.05, 0.86, rows)), ratio)


def _log_odds(
    utilisation: Floats,
    age: Floats,
    late_30: Floats,
    late_60: Floats,
    late_90: Floats,
    debt: Floats,
    no_income: Flags,
    codes: Flags,
    lines: Floats,
) -> Floats:
    """The risk that the outcome is drawn from, up to a constant; rises and falls as configs/contract.yaml says."""
    used = np.minimum(utilisation, 1.0) + 0.6 * (utilisation > 1.0)
    log_odds = 2.5 * used - 0.022 * (age - 52) - 0.2 * no_income
    log_odds += 0.68 * np.sqrt(late_30) + 1.05 * np.sqrt(late_60) + 1.35 * np.sqrt(late_90)
    log_odds += 0.5 * np.where(no_income, 0.0, np.minimum(debt, 2.0)) + 0.02 * np.abs(lines - 8)
    return np.where(codes, 4.2, log_odds)


def _probability(log_odds: Floats) -> Floats:
    """Probabilities of default, shifted so that their mean is BAD_RATE."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = (1.0 / (1.0 + np.exp(-(log_odds + middle)))).mean()
        low, high = (middle, high) if mean < BAD_RATE else (low, middle)
    return 1.0 / (1.0 + np.exp(-(log_odds + low)))


def _with_duplicates(random: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Four rows in a thousand become copies of another one."""
    count = max(1, round(0.004 * len(frame)))
    originals, copies = random.permutation(len(frame))[: 2 * count].reshape(2, count)
    order = np.arange(len(frame))
    order[copies] = originals
    return frame.iloc[order].reset_index(drop=True)
