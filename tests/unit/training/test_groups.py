"""Groups that a model does not see are compared by what it decides about them."""

from dataclasses import replace

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_ratio

from app.settings import Settings
from app.training.data import Dataset
from app.training.groups import measure_groups
from app.training.pipeline import Outcome
from app.training.report import model_card, terminal_report
from harness.fields import CONTRACT


def people(count: int = 300) -> Dataset:
    """Two thirds of group a, one third of b, and one of c; every second one in default."""
    texts = np.array(["a", "a", "b"] * (count // 3))
    texts[0] = "c"
    features = np.zeros((count, len(CONTRACT.asked)))
    return Dataset(CONTRACT, "people", np.arange(1.0, count + 1), features, np.arange(count) % 2, {"kind": texts})


def test_each_group_is_compared_with_the_largest_and_small_ones_are_left_out() -> None:
    rows = people()
    scores = np.where(rows.groups["kind"] == "b", np.tile([0.01, 0.9], 150), 0.01)
    first, second = measure_groups(rows, scores, 0.05)
    assert (first.name, first.approval_ratio, first.low, first.high) == ("a", 1.0, 1.0, 1.0)
    assert (second.name, second.rows) == ("b", 100)
    assert (first.roc_auc, second.roc_auc, second.auc_ratio) == (0.5, 1.0, 2.0)
    assert second.approval_ratio == pytest.approx(0.5)
    assert 0.35 < second.low < 0.5 < second.high < 0.65
    measured = rows.groups["kind"] != "c"
    accepted = (scores < 0.05)[measured]
    parity = demographic_parity_ratio(accepted, accepted, sensitive_features=rows.groups["kind"][measured])
    assert second.approval_ratio == pytest.approx(parity)


def test_a_column_whose_groups_are_all_small_gives_none() -> None:
    rows = replace(people(), groups={"kind": np.arange(300).astype(str)})
    assert measure_groups(rows, np.full(300, 0.01), 0.05) == []


def test_a_group_that_is_ranked_upside_down_has_no_ratio_to_it() -> None:
    rows = people()
    scores = np.where(rows.groups["kind"] == "b", 0.01, np.tile([0.9, 0.01], 150))
    first, second = measure_groups(rows, scores, 0.05)
    assert (first.roc_auc, second.roc_auc) == (0.0, 0.5)
    assert np.isnan([first.auc_ratio, second.auc_ratio]).all()


def test_where_nobody_is_approved_there_is_no_ratio() -> None:
    found = measure_groups(people(), np.full(300, 0.9), 0.05)
    assert all(np.isnan([it.approval_ratio, it.low, it.high]).all() for it in found)


def test_groups_stand_in_report_and_card(outcome: Outcome, settings: Settings) -> None:
    assert "Groups that the model" not in model_card(outcome, settings)
    rows = people()
    told = replace(outcome, groups=measure_groups(rows, np.tile([0.01, 0.9], 150), 0.05))
    assert "| kind: b | 100 |" in model_card(told, settings)
    assert "kind: b" in terminal_report(told, settings)
