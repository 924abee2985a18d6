from dataclasses import replace

import numpy as np

from app.promotion.comparing import compare_models
from app.scoring.model import ScoringModel
from app.training.data import Dataset
from harness.fields import FEATURES, PLAIN
from tests.support.fakes import constant_document, constant_model

AGE = FEATURES.index("age")


def applicants(count: int) -> Dataset:
    """Ages from 0 up, every fourth one in default."""
    features = np.ones((count, len(FEATURES)))
    features[:, AGE] = np.arange(count)
    return Dataset(PLAIN, "test", np.arange(1.0, count + 1), features, (np.arange(count) % 4 == 0).astype(np.int64))


def refuses_below(age: float) -> ScoringModel:
    """A model for which nothing but the age counts."""
    return ScoringModel(
        replace(constant_document(0.5), contract=PLAIN), lambda inputs: 0.3 if inputs[AGE] < age else 0.01
    )


def test_who_changes_sides_is_counted_with_defaults_and_ages() -> None:
    compared = compare_models({"old": refuses_below(20), "new": refuses_below(30)}, applicants(80), 0.05)
    swaps = {(it.first, it.second): it for it in compared.swaps}
    assert {sides: it.applicants for sides, it in swaps.items()} == {
        ("ACCEPT", "ACCEPT"): 50,
        ("ACCEPT", "REJECT"): 10,
        ("REJECT", "ACCEPT"): 0,
        ("REJECT", "REJECT"): 20,
    }
    assert swaps["ACCEPT", "REJECT"].default_rate == 0.3
    assert swaps["ACCEPT", "ACCEPT"].elderly_share == 18 / 50
    assert swaps["REJECT", "ACCEPT"].default_rate is None


def test_both_are_measured_on_the_same_rows() -> None:
    compared = compare_models({"low": constant_model(0.01), "high": constant_model(0.3)}, applicants(80), 0.05)
    assert [it.approval_rate for it in compared.measures.values()] == [1.0, 0.0]
    text = str(compared)
    assert text.startswith("test: 80 held-out rows\n")
    assert ["approved", "100.00%", "0.00%"] in [line.split() for line in text.splitlines()]
