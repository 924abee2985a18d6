"""Asks the registry which version an alias names: one small request, without MLflow's client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app.errors import ModelMissing, ModelUnavailable

if TYPE_CHECKING:
    import httpx

PATH = "/api/2.0/mlflow/registered-models/alias"
TIMEOUT_SECONDS = 5.0
NAMES_NOTHING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow answers about a model that it does not know, and about an alias."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What an alias names. The run is part of it because a registry that was made anew counts versions from 1."""

    name: str
    version: str
    run_id: str


class Alias(Protocol):
    """Something that knows what an alias names now."""

    async def read(self) -> Pointer:
        """Raises ModelMissing when it names nothing, ModelUnavailable when nobody can be asked."""

    async def close(self) -> None: ...


class AliasReader:
    """Reads one alias of one registered model from an MLflow server."""

    def __init__(self, server: str, name: str, alias: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._server = server
        self._name = name
        self._alias = alias
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def read(self) -> Pointer:
        """As Alias.read."""
        # Imported here: 5 MB and 0.1 s that a pinned model does not need.
        import httpx

        if self._client is None:
            # Loading the certificates costs 40 ms, and http needs none.
            verify = self._server.startswith("https")
            self._client = httpx.AsyncClient(
                base_url=self._server, timeout=TIMEOUT_SECONDS, verify=verify, transport=self._transport
            )
        try:
            answer = await self._client.get(PATH, params={"name": self._name, "alias": self._alias})
        except httpx.HTTPError as error:
            text = str(error) or type(error).__name__
            raise ModelUnavailable(
                f"the registry cannot be reached: {text}; see that MLflow runs where MLFLOW_TRACKING_URI says"
            ) from error
        if answer.status_code in (400, 404) and _error_code(answer) in NAMES_NOTHING:
            raise ModelMissing(f"alias {self._alias!r} of {self._name!r} points to no version")
        try:
            answer.raise_for_status()
            found = answer.json()["model_version"]
            return Pointer(self._name, str(found["version"]), str(found.get("run_id", "")))
        except (httpx.HTTPStatusError, ValueError, KeyError, TypeError) as error:
            status = answer.status_code
            raise ModelUnavailable(f"the registry gives no answer about {self._alias!r} (status {status})") from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


def _error_code(answer: httpx.Response) -> object:
    """MLflow's, or None where something else answered, such as a proxy."""
    try:
        found = answer.json()
    except ValueError:
        return None
    return found.get("error_code") if isinstance(found, dict) else None


def alias_reader(uri: str, server: str) -> AliasReader | None:
    """The reader for a model's URI, or None where nothing can be followed.

    A version or a run never changes; an embedded registry has no server to ask.
    """
    match = re.fullmatch("models:/([^/@]+)@([^/@]+)", uri)
    if match is None or not server.startswith(("http://", "https://")):
        return None
    return AliasReader(server, match[1], match[2])
