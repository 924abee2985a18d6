"""Asks the registry over HTTP, without MLflow's client, which version an alias names, and for its document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from app.models.over_http import (
    ARTIFACT_PATH,
    connection,
    has_server,
    place_of_document,
    pointer_in,
    too_large,
    unreachable,
)
from app.models.pointer import Pointer
from app.settings import MlflowSettings

if TYPE_CHECKING:
    import httpx

PATH = "/api/2.0/mlflow/registered-models/alias"


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
            raise unreachable(error) from error
        return pointer_in(answer, self._name, f"alias {self._alias!r}")

    async def document(self, pointer: Pointer, most_bytes: int) -> bytes | None:
        """As Alias.document."""
        import httpx

        asked = place_of_document(pointer)
        if asked is None:
            return None
        content = bytearray()
        try:
            # The server fetches it from wherever its artifacts are.
            async with self._connected().stream("GET", ARTIFACT_PATH, params=asked) as answer:
                if answer.status_code != 200:
                    return None
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > most_bytes:
                        raise too_large(pointer)
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        return bytes(content)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _connected(self) -> httpx.AsyncClient:
        # Imported here: 5 MB and 0.1 s that a pinned model does not need.
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(**connection(self._settings), transport=self._transport)
        return self._client


def alias_reader(uri: str, settings: MlflowSettings) -> AliasReader | None:
    """The reader for a model's URI, or None where nothing can be followed.

    A version or a run never changes; an embedded registry has no server to ask.
    """
    match = re.fullmatch("models:/([^/@]+)@([^/@]+)", uri)
    if match is None or not has_server(settings):
        return None
    return AliasReader(settings, match[1], match[2])
