"""A model that computes anything else than it did when it was trained never serves."""

from typing import Any

import numpy as np
import pytest

from app.errors import ModelRefused
from app.models.proof import probe_vectors, prove
from app.scoring.forms.compiled import compile_scorer
from app.scoring.forms.extract import extract
from app.scoring.model import Reference, wire_vector

TEN = list(range(1, 11))


def reference_of(model: Any, shift: float = 0.0) -> Reference:
    """Golden rows of a model, with their probabilities moved by shift."""
    rows: list[list[float | None]] = [[float(i + j) for j in range(10)] for i in range(5)]
    rows[2][4] = None
    inputs = np.array([wire_vector(row)[1:] for row in rows])
    golden = [float(p) + shift for p in model.predict_proba(inputs)[:, 1]]
    return Reference({}, [], [], {}, rows, golden)


def test_a_model_that_agrees_passes(boosted: Any) -> None:
    prove(boosted, compile_scorer(extract(boosted)), "boosted_trees", TEN, reference_of(boosted))


def test_golden_probabilities_that_moved_are_refused(boosted: Any) -> None:
    with pytest.raises(ModelRefused, match="golden row 0"):
        prove(boosted, None, "uncompiled", TEN, reference_of(boosted, shift=2e-9))


def test_a_compiled_scorer_one_bit_off_is_refused(boosted: Any) -> None:
    scorer = compile_scorer(extract(boosted))
    with pytest.raises(ModelRefused, match="compiled scorer, row 0"):
        prove(boosted, lambda row: float(np.nextafter(scorer(row), 1)), "boosted_trees", TEN, None)


def test_a_model_without_golden_rows_is_proven_on_probes(origin: Any) -> None:
    prove(origin, compile_scorer(extract(origin)), "linear", list(range(11)), None)


def test_probes_are_the_same_every_time_and_have_missing_values() -> None:
    first, second = probe_vectors(), probe_vectors()
    assert repr(first) == repr(second)
    assert any(value != value for vector in first for value in vector)


class WrongProbabilities:
    def predict_proba(self, rows: Any) -> Any:
        return np.full((len(rows), 2), 1.5)


class FailingClassifier:
    def predict_proba(self, rows: Any) -> Any:
        raise ValueError("secret detail")


def test_values_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(ModelRefused, match="no probabilities"):
        prove(WrongProbabilities(), None, "uncompiled", TEN, None)


def test_a_model_that_fails_on_the_wire_vector_is_refused() -> None:
    with pytest.raises(ModelRefused, match="predict_proba fails"):
        prove(FailingClassifier(), None, "uncompiled", TEN, None)
