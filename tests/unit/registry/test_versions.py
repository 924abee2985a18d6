"""Registering and promoting, against a real registry."""

from collections.abc import Callable
from typing import Any

import mlflow

from app.registry import ALIAS, keep_picture, production_model, promote, register
from app.registry.client import connect
from app.settings import Settings
from tests.unit.registry.conftest import candidate_of

Named = Callable[[str], Settings]


def test_a_version_holds_everything_about_the_candidate(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("complete")
    registered = register(candidate_of(boosted), settings)
    client = connect(settings)
    run = client.get_run(registered.run_id)
    assert run.data.params == {"seed": "1", "data": "a test"}
    assert run.data.metrics == {"roc_auc": 0.86}
    assert run.data.tags["data_digest"] == "0" * 64
    artifacts = {item.path for item in client.list_artifacts(registered.run_id)}
    assert artifacts == {"pictures", "model_card.md"}
    model = mlflow.models.get_model_info(f"models:/complete/{registered.version}")
    assert {str(column.type) for column in model.signature.inputs} == {"DataType.double"}
    assert model.flavors["sklearn"]["serialization_format"] == "skops"


def test_a_refused_version_keeps_the_alias_where_it_is(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("gated")
    first = register(candidate_of(boosted), settings)
    promote(first, True, ["ROC AUC 0.86 is at or above 0.8"], settings)
    second = register(candidate_of(boosted), settings)
    promote(second, False, ["too low", "too unfair"], settings)
    client = connect(settings)
    assert str(client.get_model_version_by_alias("gated", ALIAS).version) == first.version
    tags = client.get_model_version("gated", second.version).tags
    assert tags["gate"] == "refused"
    assert tags["gate_reasons"] == "too low; too unfair"
    assert client.get_model_version("gated", first.version).tags["gate"] == "passed"


def test_there_is_no_model_in_production_before_the_first_promotion(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("fresh")
    assert production_model(settings) is None
    registered = register(candidate_of(boosted), settings)
    assert production_model(settings) is None
    promote(registered, True, [], settings)
    model = production_model(settings)
    assert model is not None
    assert model.identity.version == registered.version


def test_a_picture_is_kept_with_a_run_that_is_there(boosted: Any, named_settings: Named) -> None:
    settings = named_settings("pictured")
    registered = register(candidate_of(boosted), settings)
    kept = keep_picture("late.png", b"a picture", registered.run_id, settings)
    assert kept == f"runs:/{registered.run_id}/pictures/late.png"
    files = connect(settings).list_artifacts(registered.run_id, "pictures")
    assert {file.path for file in files} == {"pictures/late.png", "pictures/roc.png"}
    assert keep_picture("late.png", b"a picture", "", settings) is None
    assert keep_picture("late.png", b"a picture", "0" * 32, settings) is None
