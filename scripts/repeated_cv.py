"""Compare the method of training with plain scikit-learn by repeated cross-validation: `python -m scripts.repeated_cv`.

On the table and the contract that the settings name. The folds are stratified and drawn anew in each repetition, the
same for all methods; plain scikit-learn gets the fields as they stand, without the contract's factors and directions.
"""

import argparse
from collections.abc import Callable
from time import perf_counter

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from app.settings import load_settings
from app.terminal import table
from app.training import measures
from app.training.data import Dataset, Flags, Floats, load
from app.training.fit import fit_candidate, probabilities

Method = Callable[[Dataset, Dataset], Floats]
"""From rows to fit on and rows to score to the probabilities of default of the latter."""


def ours(training: Dataset, asked: Dataset) -> Floats:
    """Monotone boosted trees on the factors of the contract."""
    return probabilities(fit_candidate(training, seed=20), asked.factors)


def plain_trees(training: Dataset, asked: Dataset) -> Floats:
    """Boosted trees with their defaults, told which columns are categories."""
    model = HistGradientBoostingClassifier(categorical_features=_categories(training), random_state=20)
    return probabilities(model.fit(training.features, training.outcome), asked.features)


def plain_regression(training: Dataset, asked: Dataset) -> Floats:
    """Logistic regression on scaled numbers and one column a category's value."""
    categories = _categories(training)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = [("numbers", numbers, ~categories), ("categories", OneHotEncoder(handle_unknown="ignore"), categories)]
    model = Pipeline([("columns", ColumnTransformer(columns)), ("regress", LogisticRegression(max_iter=2000))])
    return probabilities(model.fit(training.features, training.outcome), asked.features)


METHODS: dict[str, Method] = {
    "credit train": ours,
    "HistGradientBoostingClassifier()": plain_trees,
    "LogisticRegression, one-hot": plain_regression,
}


def _categories(dataset: Dataset) -> Flags:
    return np.array([each.type == "category" for each in dataset.contract.asked])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10, help="repetitions (10)")
    parser.add_argument("--folds", type=int, default=5, help="folds of each (5)")
    asked = parser.parse_args()
    dataset = load(load_settings())
    rows = [["", "ROC AUC", "standard deviation", "Brier score", "seconds a fit"]]
    for name, method in METHODS.items():
        areas, briers, started = [], [], perf_counter()
        for repeat in range(asked.repeats):
            split = StratifiedKFold(asked.folds, shuffle=True, random_state=repeat)
            for _, part in split.split(dataset.features, dataset.outcome):
                chosen = np.isin(np.arange(len(dataset)), part)
                scores = method(dataset.take(~chosen), dataset.take(chosen))
                areas.append(measures.roc_auc(dataset.outcome[chosen], scores))
                briers.append(measures.brier(dataset.outcome[chosen], scores))
        seconds = (perf_counter() - started) / len(areas)
        figures = f"{np.mean(areas):.4f}", f"{np.std(areas):.4f}", f"{np.mean(briers):.4f}", f"{seconds:.2f}"
        rows.append([name, *figures])
    head = f"{dataset.name}: {len(dataset):,} rows, {asked.repeats} times {asked.folds} folds"
    print(f"{head}\n\n{table(rows, figures=True)}")  # noqa: T201 - its output


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
