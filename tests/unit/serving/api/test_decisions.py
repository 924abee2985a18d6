"""GET /decisions/{id} answers what the record holds, and says why when it cannot."""

from pathlib import Path

import pytest
from sqlalchemy import text

from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.serving.api.decisions import Record
from app.serving.api.schema import Problem
from app.settings import AuditSettings, Settings
from app.times import Month
from tests.support.fakes import Api
from tests.support.records import NOON, challenged, decisions, identifier, linked, policy_entry


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(settings=Settings(audit=AuditSettings(database_uri=f"sqlite:///{tmp_path / 'decisions.db'}")))


@pytest.fixture
def store(api: Api) -> Store:
    engine = open_engine(api.settings.audit.database_uri, create=True)
    migrate(engine, Month.of(NOON))
    return Store(engine)


def test_a_decision_is_answered_as_it_was_kept(api: Api, store: Store) -> None:
    first, second = decisions(2)
    links = linked([policy_entry(), first, second, challenged(second, 0.04)])
    store.insert(links)
    answer = api.get(f"/decisions/{second.key}")
    told = Record.model_validate(answer.json())
    assert answer.status_code == 200
    assert (told.decision_id, told.sequence, told.hash) == (second.key, 3, links[2].hash)
    assert list(answer.json()["features"].values()) == second.fields["features"]
    assert told.probability == second.fields["probability"]
    assert [it.model_dump() for it in told.reasons] == second.fields["reasons"]
    assert told.challenger is not None
    assert told.challenger.probability == 0.04
    assert Record.model_validate(api.get(f"/decisions/{first.key}").json()).challenger is None


@pytest.mark.parametrize(
    "key", [identifier(NOON), "nonsense", "%00", "1" * 3000], ids=["unknown", "no id", "null", "long"]
)
def test_an_id_that_the_database_does_not_have_is_404(api: Api, store: Store, key: str) -> None:
    store.insert(linked(decisions(1)))
    answer = api.get(f"/decisions/{key}")
    assert answer.status_code == 404
    assert "arrives within seconds" in Problem.model_validate(answer.json()).detail


def test_a_database_that_is_away_is_503_and_names_no_host(api: Api, tmp_path: Path) -> None:
    answer = api.get(f"/decisions/{identifier(NOON)}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "ask again" in Problem.model_validate(answer.json()).detail
    assert str(tmp_path) not in answer.text


def test_a_record_that_was_changed_is_not_passed_off_as_one(api: Api, store: Store) -> None:
    (entry,) = decisions(1)
    store.insert(linked([entry]))
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE decisions SET content = replace(content, 'REJECT', 'ACCEPT')"))
    answer = api.get(f"/decisions/{entry.key}")
    assert answer.status_code == 500
    assert "ACCEPT" not in answer.text


def test_without_a_record_there_is_nothing_to_read() -> None:
    answer = Api(settings=Settings(audit=AuditSettings(enabled=False))).get(f"/decisions/{identifier(NOON)}")
    assert (answer.status_code, "audit.enabled" in answer.text) == (404, True)
