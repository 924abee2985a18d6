"""What the commands work on: fixtures of the areas behind them."""

from pathlib import Path

import pytest

from tests.unit.audit.conftest import database_uri, postgres, store
from tests.unit.batch.conftest import table
from tests.unit.training.conftest import dataset, one_thread, outcome, sample, settings, shuffled_outcome


@pytest.fixture(autouse=True)
def _record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No command keeps anything in the checkout."""
    monkeypatch.setenv("DATABASE_URI", f"sqlite:///{tmp_path / 'acts.db'}")
    monkeypatch.setenv("AUDIT__JOURNAL_DIR", str(tmp_path / "journal"))


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
