"""Models by their documents from a real MLflow server, asked without its client."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.errors import ModelMissing, ModelRefused, ModelUnavailable
from app.models.over_http import VERSION_PATH, model_over_http
from app.registry.client import connect
from app.settings import MlflowSettings, ServingSettings, Settings
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


class Flood(BaseHTTPRequestHandler):
    """A registry whose one document is sixty-four times as large as may be."""

    sent = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.path.startswith(VERSION_PATH):
            tags = [{"key": "document", "value": "runs:/a/document.json"}, {"key": "document_digest", "value": "b"}]
            self.wfile.write(json.dumps({"model_version": {"version": "1", "tags": tags}}).encode())
            return
        try:
            for _ in range(64):
                self.wfile.write(bytes(1 << 20))
                Flood.sent += 1
        except OSError:
            return  # nobody reads any more, which is what is looked for

    def log_message(self, format: str, *_: object) -> None:
        """Nowhere."""


def test_of_a_document_that_is_too_large_no_more_is_read_than_may_be() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Flood) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        mlflow = MlflowSettings(tracking_uri=f"http://127.0.0.1:{server.server_port}")
        try:
            with pytest.raises(ModelRefused, match=r"larger than serving\.pull_megabytes allows"):
                model_over_http(f"models:/{NAME}/1", Settings(mlflow=mlflow, serving=ServingSettings(pull_megabytes=1)))
        finally:
            server.shutdown()
            thread.join()
    # What lies in the buffers of the connection is sent, and no more.
    assert Flood.sent < 32
