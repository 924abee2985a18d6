"""Held-out rows stay held out, and equal applicants stay together."""

from dataclasses import replace

import numpy as np
import pytest

from app.errors import DataInvalid
from app.training.data import Dataset
from app.training.split import content_hashes, folds, held_out, split


def test_about_the_share_asked_for_is_held_out(dataset: Dataset) -> None:
    assert held_out(dataset.features, 0.2).mean() == pytest.approx(0.2, abs=0.01)


def test_equal_applicants_are_on_the_same_side_and_in_the_same_fold(dataset: Dataset) -> None:
    doubled = np.concatenate([dataset.features, dataset.features])
    for decide in (lambda rows: held_out(rows, 0.2), lambda rows: folds(rows, 5)):
        first, second = np.split(decide(doubled), 2)
        assert (first == second).all()


def test_the_training_part_shares_no_applicant_with_the_held_out_part(dataset: Dataset) -> None:
    training, out = split(dataset, 0.2)
    assert not {row.tobytes() for row in training.features} & {row.tobytes() for row in out.features}
    assert len(training) + len(out) == len(dataset)


def test_a_row_once_held_out_stays_held_out_when_others_are_added_before_it(dataset: Dataset) -> None:
    later, earlier = dataset.features[:5_000], dataset.features[5_000:]
    grown = held_out(np.concatenate([earlier, later]), 0.2)
    assert (grown[-5_000:] == held_out(later, 0.2)).all()


def test_a_larger_share_holds_out_the_same_rows_and_more(dataset: Dataset) -> None:
    assert held_out(dataset.features, 0.3)[held_out(dataset.features, 0.2)].all()


def test_a_negative_zero_and_another_nan_do_not_move_a_row() -> None:
    odd_nan = np.array([0xFFF8000000000001], dtype=np.uint64).view(np.float64)[0]
    rows = np.array([[0.0, np.nan] + [1.0] * 8, [-0.0, odd_nan] + [1.0] * 8])
    first, second = content_hashes(rows)
    assert (first == second).all()


def test_the_hash_is_this_one_on_every_machine() -> None:
    (hashes,) = content_hashes(np.array([[0.5, 45, 2, 0.8, np.nan, 13, 0, 6, 0, 2]]))
    assert hashes.tolist() == [17340826758361656555, 11561565551735242101]


def test_folds_do_not_depend_on_being_held_out(dataset: Dataset) -> None:
    out = held_out(dataset.features, 0.2)
    share = np.bincount(folds(dataset.features, 5)[out]) / out.sum()
    assert share == pytest.approx([0.2] * 5, abs=0.03)


def test_the_row_number_and_the_outcome_have_no_say(dataset: Dataset) -> None:
    other = replace(dataset, row_numbers=dataset.row_numbers[::-1], outcome=1 - dataset.outcome)
    assert np.array_equal(split(other, 0.2)[1].features, split(dataset, 0.2)[1].features, equal_nan=True)


def test_a_part_without_both_outcomes_is_refused(dataset: Dataset) -> None:
    few = dataset.take(np.arange(len(dataset)) < 10)
    with pytest.raises(DataInvalid, match=r"the (training|held-out) part has \d defaults in \d+ rows"):
        split(few, 0.2)
