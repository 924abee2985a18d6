"""What the database writes into its log when it cannot keep a decision: never what stands in it."""

import json

import pytest

from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.errors import RecordUnavailable
from app.times import Month
from harness.postgres import running_postgres
from tests.charts.variants import values_of
from tests.support.records import NOON, decisions, linked


def test_a_statement_that_fails_leaves_no_value_of_an_applicants_in_the_log() -> None:
    links = linked(decisions(3))
    values = [str(value) for value in json.loads(links[0].content)["features"]]
    with running_postgres(values_of("postgres")["settings"]) as server:
        address = server.new_database()
        engine = open_engine(address, create=True)
        migrate(engine, Month.of(NOON))
        server.query(address.rpartition("/")[2], "ALTER TABLE decisions ADD CONSTRAINT refusing CHECK (id IS NULL)")
        with pytest.raises(RecordUnavailable) as refused:
            Store(engine).insert(links)
        engine.dispose()
        log = (server.folder / "log").read_text()
    assert "violates check constraint" in log
    for text in (log, str(refused.value)):
        assert links[0].key not in text
        assert [value for value in values if value in text and len(value) > 3] == []
