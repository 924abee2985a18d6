"""A recorded decision is computed again from its model and its policy, or the difference is told."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.audit.chain import Entry
from app.audit.commands.registered import registered
from app.audit.commands.replay import Deciders, Replayed, replay
from app.audit.store.repository import Store
from app.errors import ModelMissing, ModelUnavailable
from app.models.load import load_entry
from app.registry import pull, register
from app.scoring.decider import Decider
from app.scoring.model import ScoringModel
from app.settings import MlflowSettings, ServingSettings, Settings
from tests.support.estimators import quirky_rows
from tests.support.fakes import constant_model
from tests.support.records import NOON, SECOND, decided, decisions, linked, policy_entry, policy_of_tests
from tests.unit.registry.conftest import candidate_of


def replayed(store: Store, *models: ScoringModel) -> Replayed:
    known = {it.identity.uri: it for it in models}
    return replay(store.decisions(None, None), Deciders(known.__getitem__, store), lambda _: None)


def changed(entry: Entry, **fields: Any) -> Entry:
    return replace(entry, fields=entry.fields | fields)


def test_what_is_recomputed_alike_differs_in_nothing(store: Store) -> None:
    refusing, approving = constant_model(0.1), constant_model(0.01, "2")
    later = NOON + 100 * SECOND
    store.insert(linked([policy_entry(), *decisions(5, model=refusing), *decisions(5, later, approving)]))
    found = replayed(store, refusing, approving)
    assert found.passed
    assert (found.decisions, found.different, found.largest_difference) == (10, 0, 0.0)


def test_a_difference_tells_which_versions_made_the_decision(sqlite_store: Store) -> None:
    model = constant_model(0.1)
    policy, entry = policy_entry(), changed(decided(Decider(model, policy_of_tests())), probability=0.2)
    then = {"python": "3.11.2", "scikit_learn": "1.7.1"}
    sqlite_store.insert(linked([changed(policy, service=then), entry]))
    here = {"python": "3.11.2", "scikit_learn": "1.8.0"}
    deciders = Deciders(lambda _: model, sqlite_store, here)
    (difference,) = replay(sqlite_store.decisions(None, None), deciders, lambda _: None).first
    assert difference.what.endswith("; it was made with scikit_learn 1.7.1, and here are others")
    deciders = Deciders(lambda _: model, sqlite_store, then)
    (difference,) = replay(sqlite_store.decisions(None, None), deciders, lambda _: None).first
    assert "made with" not in difference.what


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"probability": 0.1000000000000001}, "probability 0.10000000000000002, recorded 0.1000000000000001"),
        ({"decision": "ACCEPT"}, "REJECT, recorded ACCEPT"),
        ({"reasons": []}, "reasons REASONS_ON_REQUEST; recorded none"),
        ({"probability": "0.1"}, "probability 0.10000000000000002, recorded '0.1'"),
        ({"features": [1.0]}, "its content is no decision"),
    ],
)
def test_every_kind_of_difference_is_told(sqlite_store: Store, fields: dict[str, Any], what: str) -> None:
    model = constant_model(0.1)
    entry = decided(Decider(replace_reference(model), policy_of_tests()))
    sqlite_store.insert(linked([policy_entry(), changed(entry, **fields)]))
    found = replayed(sqlite_store, replace_reference(model))
    assert not found.passed
    assert found.first[0].what.startswith(what)
    assert found.first[0].id == entry.key


def replace_reference(model: ScoringModel) -> ScoringModel:
    """Without a population every refusal has one and the same reason."""
    return ScoringModel.compiled(replace(model.document, reference=None))


def test_another_model_under_the_same_name_is_found_by_its_digest(sqlite_store: Store) -> None:
    sqlite_store.insert(linked([policy_entry(), *decisions(2)]))
    other = constant_model(0.1)
    identity = replace(other.identity, digest="f" * 64)
    found = replayed(sqlite_store, ScoringModel.compiled(replace(other.document, identity=identity)))
    assert found.different == 2
    assert "has the digest ffffffffffff, not 000000000000 as recorded" in found.first[0].what


def test_a_model_that_the_registry_has_lost_is_told(sqlite_store: Store) -> None:
    def lost(uri: str) -> ScoringModel:
        raise ModelMissing(f"{uri} cannot be had")

    sqlite_store.insert(linked([policy_entry(), *decisions(2)]))
    found = replay(sqlite_store.decisions(None, None), Deciders(lost, sqlite_store), lambda _: None)
    assert (found.different, found.first[0].what) == (2, "models:/credit-default-model/1 cannot be had")


def test_a_registry_that_is_away_is_no_difference(sqlite_store: Store) -> None:
    def away(_: str) -> ScoringModel:
        raise ModelUnavailable("the registry does not answer")

    sqlite_store.insert(linked([policy_entry(), *decisions(2)]))
    with pytest.raises(ModelUnavailable):
        replay(sqlite_store.decisions(None, None), Deciders(away, sqlite_store), lambda _: None)


def test_a_policy_that_is_missing_or_another_is_told(sqlite_store: Store) -> None:
    entry = decisions(1)[0]
    policy = policy_entry()
    wrong = replace(policy, fields={"policy": policy.fields["policy"] | {"threshold": 0.5}})
    sqlite_store.insert(linked([wrong, entry, changed(decisions(1, NOON + SECOND)[0], policy_version="lost")]))
    found = replayed(sqlite_store, constant_model(0.1))
    assert f"what the record holds as policy {policy.key} is policy" in found.first[0].what
    assert found.first[1].what == "the record does not hold policy lost"


def test_decisions_of_a_registered_model_come_out_to_the_last_bit(
    boosted: Any, store: Store, registry_settings: Callable[[], Settings]
) -> None:
    settings = registry_settings()
    version = register(candidate_of(boosted), settings)
    model = load_entry(pull(f"models:/{version.name}/{version.version}", settings), settings.serving)
    decider = Decider(model, policy_of_tests())
    rows = [[None if value != value else value for value in row] for row in quirky_rows(2000, 10, seed=4).tolist()]
    entries = [decided(decider, row, NOON + at * SECOND) for at, row in enumerate(rows)]
    assert {it.fields["decision"] for it in entries} == {"ACCEPT", "REJECT"}
    store.insert(linked([policy_entry(), *entries]))
    found = replay(store.decisions(None, None), Deciders(registered(settings), store), lambda _: None)
    assert (found.decisions, found.different, found.largest_difference) == (2000, 0, 0.0)


@pytest.fixture
def registry_settings(tmp_path: Path) -> Callable[[], Settings]:
    """Settings of a registry of the test's own."""
    mlflow = MlflowSettings(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    return lambda: Settings(mlflow=mlflow, serving=ServingSettings(cache_dir=tmp_path / "cache"))
