"""The short way to a decision: an ordinary POST /predict is answered before the framework, by the same meaning.

Everything that is not ordinary takes the road, the application with all its routes, as if there were no lane: another
path, a body that comes in pieces or cannot be read, a header that asks for something, a caller without a key, no model.
Both give the same bytes, headers, records, metrics and log lines.
"""

import asyncio
from time import perf_counter
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import JournalFailed
from app.metrics import BoundCounter, BoundHistogram, Metrics
from app.serving.api.answers import answer
from app.serving.api.reading import BodyInvalid, read_vector
from app.serving.http.access import key_of
from app.serving.http.limits import DEFAULT_BYTES, here
from app.serving.http.logs import log_request
from app.serving.http.problems import failure, not_kept
from app.serving.http.request_ids import enter_request, leave_request, request_id_of
from app.serving.live.admission import Admission
from app.serving.live.challenger import Challenger
from app.serving.live.holder import Holder, Serving
from app.serving.record.recorder import Asked, Recorder

PATH = "/predict"

ORDINARY = frozenset({b"content-encoding", b"transfer-encoding", b"expect", b"upgrade"})
"""Headers that ask for what only the road does."""

Headers = list[tuple[bytes, bytes]]
Answered = tuple[int, Headers, bytes]
"""Status, headers and body."""


class Lane:
    """An ASGI application in front of another, the road. A server that has a whole request needs only `respond`."""

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
        self.answered_in_turn = 0
        """Requests since the loop last looked whether others have come."""
        self._holder = holder
        self._challenger = challenger
        self._admission = admission
        self._recorder = recorder
        self._requests = metrics.http_requests
        self._ok = BoundCounter(metrics.http_requests.labels(PATH, "POST", "200"))
        self._shed: dict[bytes, BoundCounter] = {}
        self._duration = BoundHistogram(metrics.http_request_duration.labels(PATH, "POST"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            return await self.road(scope, receive, send)
        # Whoever expects to be told to go on is told so when the body is read, which the road may not want.
        plain = ORDINARY.isdisjoint(name for name, _ in scope["headers"])
        if not plain or (message := here(receive)) is None:
            return await self.road(scope, receive, send)
        whole = message["type"] == "http.request" and not message.get("more_body", False)
        answered = self.respond(scope["headers"], message["body"]) if whole else None
        if answered is None:
            return await self.road(scope, _first(message, receive), send)
        status, headers, body = answered
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return None

    def respond(self, headers: Headers, body: bytes) -> Answered | None:
        """The answer to POST /predict, recorded, counted and logged; None: nothing is done, and the road answers.

        headers: names in lower case.
        """
        started = perf_counter()
        given = dict(headers)
        serving = self._holder.serving
        if serving is None or len(given) != len(headers) or not _ordinary(given):
            return None
        caller = None
        if (callers := self._admission.callers) is not None:
            known = callers.find(key_of(headers) or b"")
            if known is None or "predict" not in known.scopes:
                return None
            caller = known.name
        request_id = request_id_of(given.get(b"x-request-id", b""))
        token = enter_request(request_id)
        try:
            vector = read_vector(body)
            if caller is not None:
                self._admission.requests.labels(caller, "let_in").inc()
            self._count_turn()
            answered = self._answer(serving, vector, request_id, caller)
        except BodyInvalid:
            return None
        except Exception as error:
            answered = _refused(failure(error), request_id)
        finally:
            leave_request(token)
        status, seconds = answered[0], perf_counter() - started
        if status == 200:
            self._ok.inc()
        else:
            self._requests.labels(PATH, "POST", str(status)).inc()
        self._duration.observe(seconds)
        log_request("POST", PATH, status, seconds, caller, request_id.decode())
        return answered

    def count_shed(self, path: bytes) -> None:
        """A POST that was refused because too many were before it."""
        if path not in self._shed:
            self._shed[path] = BoundCounter(self._requests.labels(path.decode(), "POST", "503"))
        self._shed[path].inc()

    def _answer(self, serving: Serving, vector: list[float], request_id: bytes, caller: str | None) -> Answered:
        try:
            answered, body = answer(serving, vector, self._recorder, Asked(request_id.decode(), caller))
        except JournalFailed:
            return _refused(not_kept(), request_id)
        self._challenger.offer(serving, [vector], [answered])
        headers = [(b"x-model-version", serving.model.identity.version.encode())]
        if (decision_id := answered["decision_id"]) is not None:
            headers.append((b"x-decision-id", decision_id.encode()))
        headers += [
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
            (b"x-request-id", request_id),
        ]
        return 200, headers, body

    def _count_turn(self) -> None:
        if not self.answered_in_turn:
            asyncio.get_running_loop().call_soon(self._end_turn)
        self.answered_in_turn += 1

    def _end_turn(self) -> None:
        self.answered_in_turn = 0


def _refused(refusal: Response, request_id: bytes) -> Answered:
    return refusal.status_code, [*refusal.raw_headers, (b"x-request-id", request_id)], bytes(refusal.body)


def _ordinary(headers: dict[bytes, bytes]) -> bool:
    length = headers.get(b"content-length", b"")
    return (
        headers.get(b"content-type") == b"application/json"
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
