"""predict_proba on one thread."""

import os
from typing import Any

import pytest
from joblib import Parallel, delayed
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info

from app.models.predicting import PredictProba, words_of
from tests.support.estimators import outcomes, quirky_rows

ROWS = quirky_rows(300, 10, seed=41)


class Counting:
    """Says how many threads it was given."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def predict_proba(self, rows: Any) -> Any:
        self.seen += [library["num_threads"] for library in threadpool_info()]
        self.seen.append(len(set(Parallel(n_jobs=4, require="sharedmem")(delayed(_thread)() for _ in range(8)))))
        return [[0.5, 0.5]] * len(rows)


def _thread() -> int:
    import threading

    return threading.get_ident()


def test_a_row_is_scored_on_one_thread() -> None:
    counting = Counting()
    assert PredictProba(counting).probabilities([[1.0] * 10]) == [0.5]
    assert len(counting.seen) > 1
    assert set(counting.seen) == {1}


def test_a_forest_fitted_on_every_core_starts_no_thread() -> None:
    model = make_pipeline(SimpleImputer(), RandomForestClassifier(20, n_jobs=-1, random_state=0))
    model.fit(ROWS, outcomes(ROWS))
    predict = PredictProba(model)
    before = len(os.listdir("/proc/self/task"))
    found = predict.probabilities(ROWS[:5].tolist())
    assert len(os.listdir("/proc/self/task")) <= before
    assert model[-1].n_jobs == 1
    assert found == model.predict_proba(ROWS[:5])[:, 1].tolist()


def test_either_class_can_be_asked_for() -> None:
    model = RandomForestClassifier(5, random_state=0).fit(ROWS, outcomes(ROWS))
    assert PredictProba(model, 0).probabilities(ROWS[:5].tolist()) == model.predict_proba(ROWS[:5])[:, 0].tolist()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("a\n  b"), "ValueError: a b"),
        (KeyError(), "KeyError"),
        (OSError("x" * 999), "OSError: " + "x" * 300),
    ],
)
def test_a_librarys_words_fit_a_line(error: Exception, words: str) -> None:
    assert words_of(error) == words
