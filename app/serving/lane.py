"""The short way to a decision: an ordinary POST /predict is answered before the framework, by the same meaning.

Everything that is not ordinary takes the road, the application with all its routes, as if there were no lane: another
path, a body that comes in pieces or cannot be read, a header that asks for something, a caller without a key, no model.
Both give the same bytes, headers, records, metrics and log lines.
"""

from time import perf_counter
from typing import Any

from pydantic_core import to_json
from starlette.background import BackgroundTask
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import JournalFailed
from app.metrics import Metrics
from app.serving.admission import Admission
from app.serving.answers import answer
from app.serving.callers import key_of
from app.serving.challenger import Challenger
from app.serving.holder import Holder, Serving
from app.serving.limits import DEFAULT_BYTES, in_time
from app.serving.logs import log_request
from app.serving.problems import failure, not_kept
from app.serving.reading import BodyInvalid, read_vector
from app.serving.recording import Asked, Recorder
from app.serving.request_ids import enter_request, leave_request, request_id_of

PATH = "/predict"

ORDINARY = frozenset({b"content-encoding", b"transfer-encoding", b"expect"})
"""Headers that ask for what only the road does."""


class Lane:
    """An ASGI application in front of another, the road."""

    def __init__(
        self,
        road: ASGIApp,
        holder: Holder,
        challenger: Challenger,
        metrics: Metrics,
        admission: Admission,
        recorder: Recorder | None,
    ) -> None:
        self.road = road
        self._holder = holder
        self._challenger = challenger
        self._admission = admission
        self._recorder = recorder
        self._requests = metrics.http_requests
        self._ok = metrics.http_requests.labels(PATH, "POST", "200")
        self._duration = metrics.http_request_duration.labels(PATH, "POST")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            return await self.road(scope, receive, send)
        started = perf_counter()
        headers = dict(scope["headers"])
        serving = self._holder.serving
        if serving is None or not _ordinary(headers, len(scope["headers"])):
            return await self.road(scope, receive, send)
        caller = None
        if self._admission.callers is not None:
            known = self._admission.callers.find(key_of(scope) or b"")
            if known is None or "predict" not in known.scopes:
                return await self.road(scope, receive, send)
            caller = known.name
        message = await in_time(receive)
        if message["type"] != "http.request" or message.get("more_body", False):
            return await self.road(scope, _first(message, receive), send)
        try:
            vector = read_vector(message["body"])
        except BodyInvalid:
            return await self.road(scope, _first(message, receive), send)
        if caller is not None:
            self._admission.requests.labels(caller, "let_in").inc()
        request_id = request_id_of(headers.get(b"x-request-id", b""))
        token = enter_request(request_id)
        try:
            status, afterwards = await self._answer(serving, vector, request_id, caller, send)
            if afterwards is not None:
                await afterwards()
            seconds = perf_counter() - started
            (self._ok if status == 200 else self._requests.labels(PATH, "POST", str(status))).inc()
            self._duration.observe(seconds)
            log_request("POST", PATH, status, seconds, caller)
        finally:
            leave_request(token)

    async def _answer(
        self, serving: Serving, vector: list[float], request_id: bytes, caller: str | None, send: Send
    ) -> tuple[int, BackgroundTask | None]:
        """Send it; gives its status, and what is to be done afterwards."""
        status, afterwards = 200, None
        try:
            answered = answer(serving, vector, self._recorder, Asked(request_id.decode(), caller))
            body = to_json(answered)
            headers = [(b"x-model-version", serving.model.identity.version.encode())]
            if (decision_id := answered["decision_id"]) is not None:
                headers.append((b"x-decision-id", decision_id.encode()))
            headers += [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
            afterwards = self._challenger.after(serving, [vector], [answered])
        except Exception as error:
            refusal = not_kept() if isinstance(error, JournalFailed) else failure(error)
            status, body, headers = refusal.status_code, bytes(refusal.body), refusal.raw_headers
        headers.append((b"x-request-id", request_id))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return status, afterwards


def _ordinary(headers: dict[bytes, bytes], count: int) -> bool:
    length = headers.get(b"content-length", b"")
    return (
        headers.get(b"content-type") == b"application/json"
        and len(headers) == count
        and len(length) < 6
        and length.isdigit()
        and int(length) <= DEFAULT_BYTES
        and ORDINARY.isdisjoint(headers)
    )


def _first(message: Message, receive: Receive) -> Receive:
    """What gives that message again before what follows it."""
    waiting: list[Any] = [message]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
