"""Models by their documents from a real MLflow server, asked without its client."""

from collections.abc import Iterator

import pytest

from app.errors import ModelMissing, ModelRefused, ModelUnavailable
from app.models.over_http import model_over_http
from app.registry.client import connect
from app.settings import MlflowSettings, Settings
from harness.registries import NAME, Registry, constant_classifier, log_unjudged, running_registry
from harness.servers import free_port
from tests.support.records import ROW


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Version 1 has a document, version 2 none, and version 3 one that is not what its tag says."""
    with running_registry(tmp_path_factory.mktemp("registry")) as registry:
        registry.add(40)
        log_unjudged(registry.settings, constant_classifier(40))
        changed = registry.add(40)
        connect(registry.settings).set_model_version_tag(NAME, changed, "document_digest", "0" * 64)
        yield registry


def test_a_document_is_compiled_and_proven(registry: Registry) -> None:
    model = model_over_http(f"models:/{NAME}/1", registry.settings)
    assert model is not None
    assert model.score(model.contract.vector(ROW)) == 0.2


def test_where_only_the_models_own_files_will_do_there_is_none(registry: Registry) -> None:
    assert model_over_http(f"models:/{NAME}/2", registry.settings) is None
    assert model_over_http(f"models:/{NAME}@production", registry.settings) is None
    assert model_over_http(f"models:/{NAME}/1", Settings(mlflow=MlflowSettings(tracking_uri="sqlite:///m.db"))) is None


def test_a_document_that_is_not_the_registered_one_is_refused(registry: Registry) -> None:
    with pytest.raises(ModelRefused, match="is not the one that was registered"):
        model_over_http(f"models:/{NAME}/3", registry.settings)


def test_a_version_that_the_registry_does_not_know_is_missing(registry: Registry) -> None:
    with pytest.raises(ModelMissing, match=f"version 99 of '{NAME}' points to no version"):
        model_over_http(f"models:/{NAME}/99", registry.settings)


def test_a_server_that_is_away_is_told() -> None:
    away = Settings(mlflow=MlflowSettings(tracking_uri=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(ModelUnavailable, match="the registry cannot be reached"):
        model_over_http(f"models:/{NAME}/1", away)
