"""One training of the synthetic sample, and one of the same rows with shuffled labels, for every test here."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from app.settings import Settings
from app.training.data import SYNTHETIC, Dataset, clean
from app.training.pipeline import Outcome, train
from harness.fields import CONTRACT, TARGET
from harness.sample import synthetic_frame


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As in `train`: threads that wait for a busy core take longer than the work that they share."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="session")
def sample(settings: Settings) -> pd.DataFrame:
    """As read; tests copy it before they spoil it."""
    return synthetic_frame(settings.train.seed)


@pytest.fixture(scope="session")
def dataset(sample: pd.DataFrame) -> Dataset:
    return clean(sample, SYNTHETIC, CONTRACT)


@pytest.fixture(scope="session")
def outcome(dataset: Dataset, settings: Settings) -> Outcome:
    return train(dataset, settings, None, lambda stage: None)


@pytest.fixture(scope="session")
def shuffled_outcome(sample: pd.DataFrame, settings: Settings) -> Outcome:
    labels = np.random.default_rng(1).permutation(sample[TARGET].to_numpy())
    shuffled = clean(sample.assign(**{TARGET: labels}), "shuffled labels", CONTRACT)
    return train(shuffled, settings, None, lambda stage: None)
