"""Asks the registry over HTTP, without MLflow's client, which version an alias names, and for its document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from app.errors import ModelForbidden, ModelMissing, ModelRefused, ModelUnavailable
from app.models.pointer import CREDENTIALS_REFUSED, Pointer
from app.settings import MlflowSettings

if TYPE_CHECKING:
    import httpx

PATH = "/api/2.0/mlflow/registered-models/alias"
ARTIFACT_PATH = "/get-artifact"
TIMEOUT_SECONDS = 5.0
NAMES_NOTHING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow answers about a model that it does not know, and about an alias."""


class Alias(Protocol):
    """Something that knows what an alias names now, and has the documents of what it names."""

    async def read(self) -> Pointer:
        """Raises ModelMissing when it names nothing, ModelForbidden, ModelUnavailable when nobody can be asked."""

    async def document(self, pointer: Pointer, most_bytes: int) -> bytes | None:
        """The file that the version's tag names; None when it has none or the server does not hand it on.

        Raises ModelRefused when it is larger than that, ModelUnavailable.
        """

    async def close(self) -> None: ...


class AliasReader:
    """Reads one alias of one registered model from an MLflow server."""

    def __init__(
        self, settings: MlflowSettings, name: str, alias: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._name = name
        self._alias = alias
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def read(self) -> Pointer:
        """As Alias.read."""
        import httpx

        try:
            answer = await self._connected().get(PATH, params={"name": self._name, "alias": self._alias})
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        if answer.status_code in (400, 404) and _error_code(answer) in NAMES_NOTHING:
            raise ModelMissing(f"alias {self._alias!r} of {self._name!r} points to no version")
        if answer.status_code in (401, 403):
            raise ModelForbidden(f"{CREDENTIALS_REFUSED} (status {answer.status_code})")
        try:
            answer.raise_for_status()
            found = answer.json()["model_version"]
            tags = {tag["key"]: tag["value"] for tag in found.get("tags", [])}
            run_id, status = str(found.get("run_id", "")), str(found.get("status", "READY"))
            return Pointer.of(self._name, str(found["version"]), run_id, status, tags)
        except (httpx.HTTPStatusError, ValueError, LookupError, TypeError, AttributeError) as error:
            code = answer.status_code
            raise ModelUnavailable(f"the registry gives no answer about {self._alias!r} (status {code})") from error

    async def document(self, pointer: Pointer, most_bytes: int) -> bytes | None:
        """As Alias.document."""
        import httpx

        match = re.fullmatch(r"runs:/([0-9a-f]+)/(.+)", pointer.document)
        if match is None or not pointer.document_digest:
            return None
        content = bytearray()
        try:
            # The server fetches it from wherever its artifacts are.
            asked = {"run_uuid": match[1], "path": match[2]}
            async with self._connected().stream("GET", ARTIFACT_PATH, params=asked) as answer:
                if answer.status_code != 200:
                    return None
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > most_bytes:
                        raise ModelRefused(
                            f"the document of {pointer.uri} is larger than serving.pull_megabytes allows"
                        )
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        return bytes(content)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _connected(self) -> httpx.AsyncClient:
        # Imported here: 5 MB and 0.1 s that a pinned model does not need.
        import httpx

        if self._client is None:
            settings = self._settings
            headers, auth = {}, None
            password, token = settings.password.get_secret_value(), settings.token.get_secret_value()
            # In the order of MLflow's own client.
            if settings.username and password:
                auth = httpx.BasicAuth(settings.username, password)
            elif token:
                headers["Authorization"] = f"Bearer {token}"
            # Loading the certificates costs 40 ms, and http needs none.
            self._client = httpx.AsyncClient(
                base_url=settings.tracking_uri,
                auth=auth,
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                verify=settings.tracking_uri.startswith("https"),
                transport=self._transport,
            )
        return self._client


def _unreachable(error: httpx.HTTPError) -> ModelUnavailable:
    text = str(error) or type(error).__name__
    return ModelUnavailable(
        f"the registry cannot be reached: {text}; see that MLflow runs where MLFLOW_TRACKING_URI says"
    )


def _error_code(answer: httpx.Response) -> object:
    """MLflow's, or None where something else answered, such as a proxy."""
    try:
        found = answer.json()
    except ValueError:
        return None
    return found.get("error_code") if isinstance(found, dict) else None


def alias_reader(uri: str, settings: MlflowSettings) -> AliasReader | None:
    """The reader for a model's URI, or None where nothing can be followed.

    A version or a run never changes; an embedded registry has no server to ask.
    """
    match = re.fullmatch("models:/([^/@]+)@([^/@]+)", uri)
    if match is None or not settings.tracking_uri.startswith(("http://", "https://")):
        return None
    return AliasReader(settings, match[1], match[2])
