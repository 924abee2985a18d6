"""predict_proba on one thread."""

import os
from typing import Any

import pytest
from catboost import CatBoostClassifier
from joblib import Parallel, delayed
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info
from xgboost import XGBClassifier

from app.errors import ModelRefused
from app.models.boosters import require_probabilities
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


def test_catboost_is_asked_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ROWS[:, :5]
    model = CatBoostClassifier(iterations=5, verbose=False, allow_writing_files=False).fit(rows, outcomes(rows))
    asked: list[int] = []
    real = CatBoostClassifier.predict_proba

    def predict_proba(self: Any, given: Any, **options: Any) -> Any:
        asked.append(options["thread_count"])
        return real(self, given, **options)

    monkeypatch.setattr(CatBoostClassifier, "predict_proba", predict_proba)
    found = PredictProba(model).probabilities(rows[:4].tolist())
    assert found == real(model, rows[:4])[:, 1].tolist()
    assert asked == [1]


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


def test_fitted_parts_of_a_composed_classifier_start_no_threads() -> None:
    forest = RandomForestClassifier(n_estimators=3, n_jobs=4, random_state=0)
    voting = VotingClassifier([("forest", make_pipeline(SimpleImputer(), forest))], voting="soft", n_jobs=4)
    voting.fit(ROWS, outcomes(ROWS))
    PredictProba(voting)
    assert (voting.n_jobs, voting.estimators_[0].steps[-1][1].n_jobs) == (1, 1)


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_xgboost_model_of_margins_is_refused(wrapped: bool) -> None:
    model = XGBClassifier(n_estimators=3, objective="binary:logitraw").fit(ROWS, outcomes(ROWS))
    with pytest.raises(ModelRefused, match="objective 'binary:logitraw', which gives no probability"):
        require_probabilities(make_pipeline(model) if wrapped else model)
    require_probabilities(XGBClassifier(n_estimators=3).fit(ROWS, outcomes(ROWS)))
