"""What an MLflow server tells over HTTP, without MLflow's client: which version is meant, and its document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from app.errors import ModelForbidden, ModelMissing, ModelRefused, ModelUnavailable
from app.models.document import proven, read_document
from app.models.pointer import CREDENTIALS_REFUSED, Pointer
from app.settings import MlflowSettings, Settings

if TYPE_CHECKING:
    import httpx

    from app.scoring.model import ScoringModel

VERSION_PATH = "/api/2.0/mlflow/model-versions/get"
ARTIFACT_PATH = "/get-artifact"
TIMEOUT_SECONDS = 5.0
NAMES_NOTHING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow answers about a model or a version that it does not know, and about an alias."""


def has_server(settings: MlflowSettings) -> bool:
    """An embedded registry has none to ask."""
    return settings.tracking_uri.startswith(("http://", "https://"))


def connection(settings: MlflowSettings) -> dict[str, Any]:
    """What an HTTP client of httpx's is made with: the server's address, and the login in the order of MLflow's own."""
    import httpx

    password, token = settings.password.get_secret_value(), settings.token.get_secret_value()
    login: dict[str, Any] = {}
    if settings.username and password:
        login = {"auth": httpx.BasicAuth(settings.username, password)}
    elif token:
        login = {"headers": {"Authorization": f"Bearer {token}"}}
    # Loading the certificates costs 40 ms, and http needs none.
    secure = settings.tracking_uri.startswith("https")
    return {"base_url": settings.tracking_uri, "timeout": TIMEOUT_SECONDS, "verify": secure, **login}


def pointer_in(answer: httpx.Response, name: str, what: str) -> Pointer:
    """The version that the server answered with. what: that was asked for, as errors name it.

    Raises ModelMissing where the server knows none, ModelForbidden, ModelUnavailable.
    """
    import httpx

    if answer.status_code in (400, 404) and _error_code(answer) in NAMES_NOTHING:
        raise ModelMissing(f"{what} of {name!r} points to no version")
    if answer.status_code in (401, 403):
        raise ModelForbidden(f"{CREDENTIALS_REFUSED} (status {answer.status_code})")
    try:
        answer.raise_for_status()
        found = answer.json()["model_version"]
        tags = {tag["key"]: tag["value"] for tag in found.get("tags", [])}
        run_id, status = str(found.get("run_id", "")), str(found.get("status", "READY"))
        return Pointer.of(name, str(found["version"]), run_id, status, tags)
    except (httpx.HTTPStatusError, ValueError, LookupError, TypeError, AttributeError) as error:
        code = answer.status_code
        raise ModelUnavailable(f"the registry gives no answer about {what} (status {code})") from error


def place_of_document(pointer: Pointer) -> dict[str, str] | None:
    """What ARTIFACT_PATH is asked for; None where the version has no document that its digest could prove."""
    match = re.fullmatch(r"runs:/([0-9a-f]+)/(.+)", pointer.document)
    return {"run_uuid": match[1], "path": match[2]} if match and pointer.document_digest else None


def unreachable(error: httpx.HTTPError) -> ModelUnavailable:
    text = str(error) or type(error).__name__
    return ModelUnavailable(
        f"the registry cannot be reached: {text}; see that MLflow runs where MLFLOW_TRACKING_URI says"
    )


def model_over_http(uri: str, settings: Settings) -> ScoringModel | None:
    """A version's model, compiled from its document and proven; None where only its own files will do.

    uri: models:/name/version, of which alone there is one for good. Raises ModelMissing, ModelForbidden,
    ModelUnavailable, ModelRefused where the document is not what its version says.
    """
    match = re.fullmatch("models:/([^/@]+)/([0-9]+)", uri)
    if match is None or not has_server(settings.mlflow):
        return None
    import httpx

    name, version = match.groups()
    try:
        with httpx.Client(**connection(settings.mlflow)) as client:
            asked = {"name": name, "version": version}
            pointer = pointer_in(client.get(VERSION_PATH, params=asked), name, f"version {version}")
            content = _document(client, pointer, settings.serving.pull_megabytes << 20)
    except httpx.HTTPError as error:
        raise unreachable(error) from error
    return None if content is None else proven(read_document(content, pointer))


def _document(client: httpx.Client, pointer: Pointer, most_bytes: int) -> bytes | None:
    place = place_of_document(pointer)
    if place is None:
        return None
    content = bytearray()
    with client.stream("GET", ARTIFACT_PATH, params=place) as answer:
        if answer.status_code != 200:
            return None
        for piece in answer.iter_bytes():
            content += piece
            if len(content) > most_bytes:
                raise too_large(pointer)
    return bytes(content)


def too_large(pointer: Pointer) -> ModelRefused:
    return ModelRefused(f"the document of {pointer.uri} is larger than serving.pull_megabytes allows")


def _error_code(answer: httpx.Response) -> object:
    """MLflow's, or None where something else answered, such as a proxy."""
    try:
        found = answer.json()
    except ValueError:
        return None
    return found.get("error_code") if isinstance(found, dict) else None
