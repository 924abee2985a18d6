"""Applicants as a table."""

import pandas as pd
import pytest

from harness.sample import synthetic_frame


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """500 rows in the form of the training data, some with a missing value; tests copy it before they spoil it."""
    return synthetic_frame(4).head(500)
