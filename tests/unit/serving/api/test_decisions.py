"""GET /decisions/{id} answers what the record holds, and says why when it cannot."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.scoring.decider import Decider
from app.serving.api.records import Record
from app.serving.api.schema import Problem
from app.settings import AuditSettings, Settings
from app.times import Month
from tests.support.fakes import Api, constant_model
from tests.support.journals import chains
from tests.support.records import (
    NOON,
    ROW,
    SECOND,
    challenged,
    decided,
    decisions,
    identifier,
    linked,
    policy_entry,
    policy_of_tests,
)

ROW11 = [0, *ROW]


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


def about(store: Store, *ids: str | None) -> list[str]:
    """Keeps a decision a second on those applications; gives the decisions' ids."""
    decider = Decider(constant_model(0.1), policy_of_tests())
    entries = [decided(decider, at=NOON + at * SECOND, application_id=it) for at, it in enumerate(ids)]
    store.insert(linked(entries))
    return [it.key for it in entries]


def test_the_decisions_on_an_application_are_told_newest_first(api: Api, store: Store) -> None:
    first, _, second, _ = about(store, "A-1", "A-2", "A-1", None)
    answer = api.get("/decisions?application_id=A-1")
    assert answer.status_code == 200
    told = [Record.model_validate(it) for it in answer.json()["decisions"]]
    assert [(it.decision_id, it.application_id) for it in told] == [(second, "A-1"), (first, "A-1")]
    assert answer.json()["cursor"] is None
    assert answer.headers["Cache-Control"] == "no-store"
    assert api.get("/decisions?application_id=A-3").json() == {"decisions": [], "cursor": None}


def test_many_decisions_come_in_pages(api: Api, store: Store) -> None:
    keys = about(store, *["A-1"] * 120)
    found: list[str] = []
    cursor: str | None = ""
    sizes = []
    while cursor is not None:
        page = api.get("/decisions?application_id=A-1" + (f"&cursor={cursor}" if cursor else "")).json()
        found += [it["decision_id"] for it in page["decisions"]]
        sizes.append(len(page["decisions"]))
        cursor = page["cursor"]
    assert (found, sizes) == (keys[::-1], [50, 50, 20])


@pytest.mark.parametrize(
    "query",
    ["", "?application_id=", "?application_id=A%001", "?application_id=A-1&caller=x", f"?application_id={'A' * 65}"],
)
def test_a_search_for_nothing_in_particular_is_refused(api: Api, store: Store, query: str) -> None:
    answer = api.get(f"/decisions{query}")
    assert answer.status_code == 422
    assert "/decisions?application_id=A-1" in Problem.model_validate(answer.json()).detail


@pytest.mark.parametrize("cursor", ["x", "2026-01-31_x", "2026-01-31T12:00:00.000001Z_nonsense", "%00"])
def test_a_cursor_that_no_answer_gave_is_refused(api: Api, store: Store, cursor: str) -> None:
    answer = api.get(f"/decisions?application_id=A-1&cursor={cursor}")
    assert (answer.status_code, "cursor" in answer.text) == (422, True)


def test_an_application_of_a_decision_stays_with_it(tmp_path: Path) -> None:
    api = recorded(tmp_path)
    assert api.post("/predict", {"data": {"features": ROW11}, "application_id": "A-1"}).status_code == 200
    rows = {"data": {"rows": [ROW11, ROW11]}, "application_ids": ["A-2", None]}
    assert api.post("/predict/batch", rows).status_code == 200
    links = [it for chain in chains(tmp_path).values() for it in chain if it.kind == "decision"]
    assert [it.fields["application_id"] for it in links] == ["A-1", "A-2", None]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/predict", {"data": {"features": ROW11}}, "/application_id"),
        ("/predict/batch", {"data": {"rows": [ROW11]}}, "/application_ids"),
        ("/predict/batch", {"data": {"rows": [ROW11]}, "application_ids": [None]}, "/application_ids"),
    ],
)
def test_where_an_application_has_to_be_named_nothing_is_decided_without(
    tmp_path: Path, path: str, body: Any, pointer: str
) -> None:
    answer = recorded(tmp_path, require_application_id=True).post(path, body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert chains(tmp_path) == {}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/predict", {"data": {"features": ROW11}, "application_id": it}, "/application_id")
        for it in ("", "A 1", "A" * 65, "Ä", 7, "A\n")
    ]
    + [
        ("/predict/batch", {"data": {"rows": [ROW11]}, "application_ids": it}, pointer)
        for it, pointer in (
            (["A 1"], "/application_ids/0"),
            (["A", "B"], "/application_ids"),
            ([], "/application_ids"),
            ("A", "/application_ids"),
        )
    ],
)
def test_an_application_id_that_is_none_is_refused(path: str, body: Any, pointer: str) -> None:
    answer = Api(constant_model(0.1)).post(path, body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert "application_id" in error["detail"]


def test_answers_about_a_person_are_not_to_be_stored() -> None:
    api = Api(constant_model(0.1))
    assert api.post("/predict", {"data": {"features": ROW11}}).headers["Cache-Control"] == "no-store"
    assert api.post("/predict/batch", {"data": {"rows": [ROW11]}}).headers["Cache-Control"] == "no-store"


def recorded(journal: Path, **audit: Any) -> Api:
    settings = Settings(audit=AuditSettings(journal_dir=journal, **audit))
    return Api(constant_model(0.1), settings=settings, recorded=True)
