"""What the commands work on: fixtures of the areas behind them."""

from tests.unit.audit.conftest import database_uri, postgres, store
from tests.unit.batch.conftest import table
from tests.unit.training.conftest import dataset, one_thread, outcome, sample, settings, shuffled_outcome

__all__ = [
    "database_uri",
    "dataset",
    "one_thread",
    "outcome",
    "postgres",
    "sample",
    "settings",
    "shuffled_outcome",
    "store",
    "table",
]
