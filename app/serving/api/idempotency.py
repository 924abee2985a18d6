"""Idempotency-Key: a request that is sent again is answered as it was, by any server, and decided on once."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from app.errors import RecordUnavailable
from app.ids import RandomHex
from app.serving.http.messages import Answered, HeaderValues
from app.serving.http.problems import RetryAfter, problem, unavailable
from app.settings import Settings
from app.times import microseconds_now

if TYPE_CHECKING:
    from app.audit.store.answers import Asked

HEADER = b"idempotency-key"
PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body within 24 hours get the same answer again, from any server; 1 to 255 visible"
    " characters.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"]},
}
KEY = re.compile(rb"[!-~]{1,255}")

NO_KEY = "Idempotency-Key must be one text of 1 to 255 letters, digits and signs without spaces"
NO_RECORD = "this service keeps no record, so it knows no repeated request from a new one; leave Idempotency-Key out"
OTHER_BODY = "this Idempotency-Key was sent with another request within 24 hours; take a new key for a new request"
UNDER_WAY = "the request with this Idempotency-Key is being answered; ask again"
AWAY = "the database does not answer, and without it nobody knows whether this request was decided on; ask again"

MOST_ASKING = 8
"""Each keeps a thread waiting while the database does not answer, and others need threads too."""

log = logging.getLogger(__name__)


class Idempotency:
    """Asks the record's database, for requests that have the header and for no others."""

    def __init__(self, settings: Settings) -> None:
        self._audit = settings.audit
        self._asking = asyncio.Semaphore(MOST_ASKING)
        self._random = RandomHex()

    async def answer(
        self,
        headers: HeaderValues,
        caller: str | None,
        path: str,
        body: bytes,
        decide: Callable[[], Awaitable[Answered]],
    ) -> Answered:
        """The answer of decide, or the one that it gave before.

        caller: whose key it is: others may use the same. decide: its answers of status 200 are kept.
        """
        key = headers[HEADER].strip(b'"')
        if not KEY.fullmatch(key):
            return problem(400, NO_KEY)
        if not self._audit.enabled:
            return problem(422, NO_RECORD)
        name = sha256(f"{caller or ''}\n{path}\n".encode() + key).hexdigest()
        try:
            return await self._answer(name, sha256(body).hexdigest(), decide)
        except RecordUnavailable as error:
            log.warning("a repeated request cannot be told from a new one", extra={"reason": str(error)})
            return unavailable(AWAY)

    async def _answer(self, name: str, body: str, decide: Callable[[], Awaitable[Answered]]) -> Answered:
        # Loaded with the first request that needs the database's libraries, which most pods never get.
        from app.audit.store.answers import Standing, claim, give_up, keep
        from app.audit.store.lookup import store_of

        store, claimant = store_of(self._audit.database_uri), self._random.take(32)
        async with self._asking:
            asked: Asked = await asyncio.to_thread(claim, store, name, body, claimant, microseconds_now())
        match asked.standing:
            case Standing.OTHER_BODY:
                return problem(422, OTHER_BODY)
            case Standing.UNDER_WAY:
                return problem(409, UNDER_WAY, [RetryAfter.SHED.header])
            case Standing.ANSWERED:
                return _read(asked.answer or "")
        answered = None
        try:
            answered = await decide()
        finally:
            # What was refused was not decided on: it may be asked again, and be refused again.
            if answered is None or answered[0] != 200:
                async with self._asking:
                    await asyncio.to_thread(give_up, store, name, claimant)
        if answered[0] != 200:
            return answered
        async with self._asking:
            if not await asyncio.to_thread(keep, store, name, claimant, _text(answered)):
                # It took so long that another server has answered in its place.
                return problem(409, UNDER_WAY, [RetryAfter.SHED.header])
        return answered


def _text(answer: Answered) -> str:
    status, headers, body = answer
    return json.dumps([status, [(name.decode(), value.decode()) for name, value in headers], body.decode()])


def _read(text: str) -> Answered:
    status, headers, body = json.loads(text)
    return status, [(name.encode(), value.encode()) for name, value in headers], body.encode()
