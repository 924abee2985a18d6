"""Each method scores every row once a repetition, and says its mean."""

import pytest

from app.training.data import Dataset, Floats
from scripts import repeated_cv
from tests.unit.training.conftest import dataset, sample, settings

__all__ = ["dataset", "sample", "settings"]


def test_the_methods_are_compared_on_the_same_folds(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = dataset.take(dataset.row_numbers < 2_000)
    asked: dict[str, list[int]] = {}

    def watched(name: str, method: repeated_cv.Method) -> repeated_cv.Method:
        def score(training: Dataset, part: Dataset) -> Floats:
            assert len(training) + len(part) == len(few)
            asked.setdefault(name, []).append(len(part))
            return method(training, part)

        return score

    methods = {name: watched(name, method) for name, method in repeated_cv.METHODS.items()}
    monkeypatch.setattr(repeated_cv, "METHODS", methods)
    monkeypatch.setattr(repeated_cv, "load", lambda _: few)
    monkeypatch.setattr("sys.argv", ["repeated_cv", "--repeats", "2", "--folds", "2"])
    repeated_cv.main()
    told = capsys.readouterr().out
    assert f"{len(few):,} rows, 2 times 2 folds" in told
    assert all(sum(parts) == 2 * len(few) and len(parts) == 4 for parts in asked.values())
    assert all(name in told for name in repeated_cv.METHODS)
