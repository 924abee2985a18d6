"""predict_proba as the server asks it: of the positive class, by name where the model knows names, on one thread."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol


class Classifier(Protocol):
    """What every classifier with scikit-learn's interface offers."""

    def predict_proba(self, rows: Any, /) -> Any: ...


class PredictProba:
    """Asks one fitted classifier.

    positive: index of the class whose probability it gives. names: of the columns that the classifier was fitted on,
    None when it was fitted on a table without names.
    """

    def __init__(self, classifier: Classifier, positive: int = 1, names: Sequence[str] | None = None) -> None:
        # It finds the libraries that are loaded by now, and with the classifier all that it needs are.
        from threadpoolctl import ThreadpoolController

        self.classifier = classifier
        self.positive = positive
        self.names = names
        self._threads = ThreadpoolController()
        self._ask = _on_one_thread(classifier)
        _one_job(classifier)

    def probabilities(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Of each row of the model's inputs. Raises whatever the classifier does."""
        import joblib
        import numpy

        table: Any = numpy.array(rows, dtype=numpy.float64)
        if self.names is not None:
            import pandas

            table = pandas.DataFrame(table, columns=list(self.names))
        # Starting threads takes a hundred times longer than a row; the server's other cores have work of their own.
        with (
            warnings.catch_warnings(),
            self._threads.limit(limits=1),
            joblib.parallel_config(backend="sequential"),
        ):
            # A library warns of what a row holds, once a row.
            warnings.simplefilter("ignore")
            result = numpy.asarray(self._ask(table))
        return [float(value) for value in result[:, self.positive]]


def _on_one_thread(classifier: Any) -> Callable[[Any], Any]:
    """How it is asked: CatBoost takes its number of threads with each question, and knows none that limit it."""
    if type(classifier).__module__.startswith("catboost."):
        return partial(classifier.predict_proba, thread_count=1)
    ask: Callable[[Any], Any] = classifier.predict_proba
    return ask


def _one_job(classifier: Any) -> None:
    """For libraries that start as many threads as they were told when the model was made."""
    for part in _parts(classifier):
        if hasattr(part, "get_params") and "n_jobs" in part.get_params(deep=False):
            part.set_params(n_jobs=1)


FITTED_PARTS = ("steps", "transformers_", "estimators_", "calibrated_classifiers_", "final_estimator_", "estimator")
"""Where scikit-learn keeps the fitted parts of a composed classifier, which are not those of get_params."""


def _parts(it: Any) -> Iterator[Any]:
    """A classifier and all that it is composed of, fitted."""
    yield it
    if isinstance(it, list | tuple):
        inner: Sequence[Any] = it
    else:
        inner = [getattr(it, name) for name in FITTED_PARTS if hasattr(it, name)]
    for part in inner:
        if not isinstance(part, str | slice | int):
            yield from _parts(part)


def words_of(error: Exception) -> str:
    """A library's own, cut to a line."""
    line = " ".join(str(error).split())
    return f"{type(error).__name__}: {line[:300]}" if line else type(error).__name__
