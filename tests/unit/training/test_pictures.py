"""The pictures are PNG files, also of models that say little."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from app.training.data import Dataset
from app.training.pictures import draw, effect_values
from app.training.pipeline import Outcome

NAMES = {"roc.png", "calibration.png", "scores.png", "threshold.png", "effects.png"}
PNG = b"\x89PNG\r\n\x1a\n"


def test_there_is_one_png_of_each_kind(outcome: Outcome) -> None:
    assert set(outcome.pictures) == NAMES
    for picture in outcome.pictures.values():
        assert picture.startswith(PNG)
        assert 5_000 < len(picture) < 300_000


def test_a_model_that_gives_everybody_one_probability_can_be_drawn(dataset: Dataset) -> None:
    few = dataset.take(np.arange(len(dataset)) < 1_000)
    same = np.full(1_000, 0.05)
    model = DummyClassifier(strategy="prior").fit(np.zeros((100, 1)), np.arange(100) < 5)
    pictures = draw(few, same, same, model, threshold=0.05, seed=0)
    assert set(pictures) == NAMES


def test_counts_are_drawn_one_by_one_and_measures_evenly() -> None:
    assert effect_values(np.repeat([0.0, 1.0, 2.0, 98.0], [50, 40, 9, 1]), logarithmic=False).tolist() == [0, 1, 2, 3]
    evenly = effect_values(np.linspace(0.5, 9_000, 1_000), logarithmic=False)
    assert np.diff(evenly) == pytest.approx(evenly[1] - evenly[0])


def test_a_logarithmic_panel_starts_above_zero_and_leaves_missing_values_out() -> None:
    values = effect_values(np.array([0.0, np.nan, 0.3, 2_000.0]), logarithmic=True)
    assert values[0] == pytest.approx(0.01)
    assert not np.isnan(values).any()
