"""A record of some decisions is made, measured and verified in a real Postgres."""

from collections.abc import Iterator

import pytest

from harness.postgres import Postgres, running_postgres
from loadtests import large_record


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with running_postgres() as found:
        yield found


def test_every_figure_is_had_of_a_record_that_verifies(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_record, "A_WRITER", 60)
    monkeypatch.setattr(large_record, "A_BATCH", 25)
    monkeypatch.setattr(large_record, "LOOKS", 3)
    figures = dict(large_record.measured(server, 150))
    assert len(figures) == 11
    assert all(figures.values())


def test_decisions_are_links_of_several_writers_over_the_months(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_record, "A_WRITER", 60)
    monkeypatch.setattr(large_record, "A_BATCH", 25)
    found = [link for batch in large_record.links(150) for link in batch]
    assert [link.sequence for link in found] == [*range(1, 61), *range(1, 61), *range(1, 31)]
    moments = [link.at for link in found]
    assert moments == sorted(set(moments))
    assert len({link.key for link in found}) == 150
