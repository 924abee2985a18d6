"""POST /outcomes keeps what a client says became of decisions: all of a request or nothing, under the client's name."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.audit.store.database import open_engine
from app.audit.store.outcome_rows import KnownOutcome, outcomes
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.callers.known import Callers
from app.scoring.decider import Decider
from app.serving.api.schema import Problem
from app.settings import Settings
from app.times import Month
from harness.servers import audit_in
from tests.support.fakes import Api, caller, constant_model
from tests.support.records import NOON, SIGNER, decided, decisions, linked, policy_entry, policy_of_tests

CALLERS = Callers((caller("core-banking", "cdk_bank", "outcomes"), caller("office", "cdk_office", "predict", "read")))
DECISIONS = decisions(2, model=constant_model(0.01))


class World:
    """A service whose record holds two accepted decisions, the second on application A-1."""

    def __init__(self, folder: Path, callers: Callers | None = CALLERS, **audit: Any) -> None:
        settings = Settings(audit=audit_in(folder, **audit))
        self.store = Store(open_engine(f"sqlite:///{folder / 'decisions.db'}", create=True))
        migrate(self.store.engine, Month.of(NOON))
        named = decided(Decider(constant_model(0.01), policy_of_tests()), application_id="A-1")
        refused = decided(Decider(constant_model(0.4), policy_of_tests()), application_id="A-2")
        self.store.insert(linked([policy_entry(), DECISIONS[0], named, refused]), SIGNER)
        self.named = named.key
        self.api = Api(constant_model(0.3), settings, callers, recorded=True)

    def say(self, *given: dict[str, Any], key: str = "cdk_bank") -> httpx.Response:
        return self.api.post("/outcomes", {"outcomes": list(given)}, {"Authorization": f"Bearer {key}"})


BY_KEY = {"decision_id": DECISIONS[0].key, "outcome": 1, "observed": "2026-12-01"}
BY_APPLICATION = {"application_id": "A-1", "outcome": 0, "observed": "2026-12-02"}


def test_outcomes_are_kept_once_under_the_clients_name(tmp_path: Path) -> None:
    world = World(tmp_path)
    answer = world.say(BY_KEY, BY_APPLICATION)
    assert (answer.status_code, answer.json()) == (200, {"new": 2, "corrected": 0, "known": 0})
    assert answer.headers["Cache-Control"] == "no-store"
    assert world.say(BY_KEY, BY_APPLICATION | {"outcome": 1}).json() == {"new": 0, "corrected": 1, "known": 1}
    assert outcomes(world.store) == {
        DECISIONS[0].key: KnownOutcome(1, "2026-12-01"),
        world.named: KnownOutcome(1, "2026-12-02"),
    }
    said = [it.to_link().fields for it in world.store.entries(("outcome",), None, None)]
    assert {(it["by"], it["source"]) for it in said} == {("core-banking", "POST /outcomes")}


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"application_id": "A-2", "outcome": 1, "observed": "2026-12-01"}, "outcome 2: the record holds no accepted"),
        ({"application_id": "A-1", "outcome": 2, "observed": "2026-12-01"}, "outcome 2: outcome must be 1 or 0"),
        ({"application_id": "A-1", "outcome": 1, "observed": "1.12.2026"}, "outcome 2: observed must be a day"),
        ({"outcome": 1, "observed": "2026-12-01"}, "outcome 2: it must have a decision_id or an application_id"),
    ],
)
def test_one_that_is_wrong_refuses_the_request(tmp_path: Path, wrong: dict[str, Any], what: str) -> None:
    world = World(tmp_path)
    answer = world.say(BY_KEY, wrong)
    assert answer.status_code == 422
    detail = Problem.model_validate(answer.json()).detail
    assert detail.startswith("POST /outcomes, of which nothing was taken: ")
    assert what in detail
    assert outcomes(world.store) == {}


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"outcomes": []}', b'{"outcomes": [{"outcome": 1.5}]}'])
def test_what_is_no_list_of_outcomes_is_refused_by_place_without_its_values(tmp_path: Path, body: bytes) -> None:
    api = World(tmp_path).api
    headers = {"Authorization": "Bearer cdk_bank", "Content-Type": "application/json"}
    answer = api.request("POST", "/outcomes", content=body, headers=headers)
    assert answer.status_code == 422
    told = Problem.model_validate(answer.json())
    assert told.errors
    assert "1.5" not in answer.text


def test_who_says_so_has_to_be_known_and_to_be_let(tmp_path: Path) -> None:
    assert World(tmp_path).say(BY_KEY, key="cdk_office").status_code == 403


def test_where_nobody_is_known_or_nothing_is_kept_there_is_no_such_thing(tmp_path: Path) -> None:
    for name, given in (("open", {"callers": None}), ("off", {"enabled": False})):
        (tmp_path / name).mkdir()
        answer = World(tmp_path / name, **given).say(BY_KEY)
        assert answer.status_code == 404


def test_without_the_database_it_is_503(tmp_path: Path) -> None:
    answer = World(tmp_path, database_uri="postgresql://credit@127.0.0.1:9/credit").say(BY_KEY)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
