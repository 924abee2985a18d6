import json
import sys
from types import SimpleNamespace
from typing import Any

import kubernetes.client
import kubernetes.config
import kubernetes.stream
import pytest

from app.promotion.pods import ASK, NoCluster, Pod, pod_of, serving_pods
from tests.support.fakes import Api, constant_model


class PodsThatAnswer:
    """A cluster with one pod for each /meta, which it tells to whoever runs the question in it."""

    def __init__(self, **metas: str) -> None:
        self.metas = metas
        self.connect_get_namespaced_pod_exec = object()

    def list_namespaced_pod(self, namespace: str, label_selector: str, _request_timeout: int) -> Any:
        assert (namespace, "app.kubernetes.io/name=api" in label_selector) == ("credit", True)
        return SimpleNamespace(items=[SimpleNamespace(metadata=SimpleNamespace(name=name)) for name in self.metas])

    def stream(self, method: object, name: str, namespace: str, command: list[str], **options: Any) -> Any:
        assert (method, namespace) == (self.connect_get_namespaced_pod_exec, "credit")
        assert (command, options["_preload_content"]) == (["python", "-c", ASK], False)
        if not self.metas[name]:
            raise kubernetes.client.ApiException(status=500)
        return SimpleNamespace(run_forever=lambda timeout: None, read_stdout=lambda timeout: self.metas[name])


def test_each_pod_is_asked_what_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    meta = Api(constant_model(0.3, "7")).get("/meta").text
    cluster = PodsThatAnswer(ready=meta, leaving="")
    monkeypatch.setattr(kubernetes.config, "new_client_from_config", lambda context: context)
    monkeypatch.setattr(kubernetes.client, "CoreV1Api", lambda _: cluster)
    monkeypatch.setattr(kubernetes.stream, "stream", cluster.stream)
    ready = Pod("ready", "7", None, True, digest=f"{7:0>64}", run_id="run7")
    assert serving_pods(None, "credit") == [ready, Pod("leaving", None, None, None)]


def test_a_pod_of_an_earlier_release_tells_what_it_can() -> None:
    assert pod_of("old", json.dumps({"model_version": "3"})) == Pod("old", "3", None, None)


def test_a_context_that_does_not_exist_is_told() -> None:
    with pytest.raises(NoCluster, match="the kubeconfig names no cluster"):
        serving_pods("no-such-context", "credit")


def test_without_the_clients_package_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    with pytest.raises(NoCluster, match="kubernetes is not installed"):
        serving_pods(None, "credit")
