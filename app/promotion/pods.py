"""Which pods serve what: each is asked from within, which needs no open port and no way through a network policy."""

import json
from dataclasses import dataclass
from typing import Any

from app.errors import CreditError

SELECTOR = "app.kubernetes.io/name=api,app.kubernetes.io/component=server"
TIMEOUT_SECONDS = 5
ASK = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/meta', timeout=3).read().decode())"


class NoCluster(CreditError):
    """Nobody can be asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of the API; its versions are None where it has no model or gives no answer."""

    name: str
    version: str | None
    challenger: str | None
    stale: bool | None
    digest: str | None = None
    """SHA-256, in hex, of the files of the model that it serves."""
    run_id: str | None = None


def serving_pods(context: str | None, namespace: str) -> list[Pod]:
    """The API's pods of a cluster. context: of the kubeconfig; None is its current one.

    Raises NoCluster when there is no client for it, no such context or no answer.
    """
    try:
        from kubernetes import client, config
        from kubernetes.stream import stream
        from urllib3.exceptions import HTTPError
    except ModuleNotFoundError as error:
        raise NoCluster(f"the Python package {error.name} is not installed") from error
    try:
        core = client.CoreV1Api(config.new_client_from_config(context=context))
        found = core.list_namespaced_pod(namespace, label_selector=SELECTOR, _request_timeout=TIMEOUT_SECONDS).items
        return [pod_of(it.metadata.name, _ask(stream, core, it.metadata.name, namespace)) for it in found]
    except config.ConfigException as error:
        raise NoCluster(f"the kubeconfig names no cluster: {error}") from error
    except (client.ApiException, HTTPError) as error:
        raise NoCluster(f"the cluster does not answer: {' '.join(str(error).split())[:200]}") from error


def _ask(stream: Any, core: Any, name: str, namespace: str) -> str:
    from kubernetes import client

    try:
        # Not preloaded: the client would turn JSON into Python's way of writing it.
        answer = stream(
            core.connect_get_namespaced_pod_exec,
            name,
            namespace,
            command=["python", "-c", ASK],
            stdin=False,
            stdout=True,
            stderr=False,
            tty=False,
            _preload_content=False,
        )
        answer.run_forever(timeout=TIMEOUT_SECONDS)
        return str(answer.read_stdout(timeout=1))
    except client.ApiException:
        return ""  # on its way up or down


def pod_of(name: str, meta: str) -> Pod:
    """meta: the text of the pod's /meta, anything else when it gave none."""
    try:
        told = json.loads(meta)
    except ValueError:
        return Pod(name, None, None, None)
    # A pod of an earlier release tells less.
    challenger = (told.get("challenger") or {}).get("model_version")
    return Pod(name, told.get("model_version"), challenger, told.get("stale"), told.get("digest"), told.get("run_id"))
