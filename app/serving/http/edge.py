"""Where every request comes in and goes out: its id, its API key, its size, and at its end the count and the log line.

A whole POST /predict is answered at once; every other request goes through the framework. Both pass here.
"""

from collections.abc import Callable
from functools import cache
from time import perf_counter

from prometheus_fastapi_instrumentator.routing import get_route_name
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.metrics import BoundCounter, BoundHistogram, Metrics
from app.serving.http.access import admit
from app.serving.http.limits import LimitedBody, refuse_declared
from app.serving.http.logs import log_request
from app.serving.http.messages import Answered, Headers, HeaderValues, header_values, send_answer
from app.serving.http.paths import KIB, PREDICT, QUIET, Endpoint, endpoint_of
from app.serving.http.problems import problem_of
from app.serving.http.request_ids import HEADER, enter_request, leave_request, request_id_of
from app.serving.http.tracing import Spans, Trace, trace_of
from app.serving.http.workload import Load
from app.serving.live.admission import Admission

PredictFunction = Callable[[HeaderValues, bytes, str | None], Answered]
"""As app.serving.api.predict.Predict."""

IDEMPOTENCY_KEY = b"idempotency-key"
"""Header of a request that is answered as it was before, which the database has to be asked about."""

UNROUTED = "none"
"""What a path without a route is counted as: its own text would be the client's to choose."""


class Edge:
    """What is common to both ways.

    predict: answers a POST /predict that was let in. waits: whether its answers have to wait for the disk, so that none
    is given at once. spans: None where no collector is named.
    """

    def __init__(
        self,
        metrics: Metrics,
        admission: Admission,
        predict: PredictFunction,
        waits: bool = False,
        spans: Spans | None = None,
    ) -> None:
        self.load = Load()
        self._waits = waits
        self._spans = spans
        self._admission = admission
        self._predict = predict
        # Found once: finding a metric by its labels costs more than all of the rest of counting.
        self._requests = cache(lambda *labels: BoundCounter(metrics.http_requests.labels(*labels)))
        self._durations = cache(lambda *labels: BoundHistogram(metrics.http_request_duration.labels(*labels)))
        # At zero from the first scrape on.
        self._requests(PREDICT.template, "POST", 200)
        self._durations(PREDICT.template, "POST")

    def answer_at_once(self, headers: Headers, body: bytes) -> Answered | None:
        """The answer to a whole POST /predict, recorded, counted and logged; None when it has to wait for something.

        headers: names in lower case.
        """
        if self._waits:
            return None
        started = perf_counter()
        values = header_values(headers)
        if IDEMPOTENCY_KEY in values:
            return None
        self.load.count(1)
        request_id, trace = request_id_of(values), trace_of(values)
        caller = route = None
        limits: Headers = []
        token = enter_request(request_id, trace)
        try:
            caller, answer, limits = self.refuse(PREDICT, headers, values)
            if answer is None:
                route = PREDICT.template
                answer = self._predict(values, body, caller)
        except Exception as error:
            answer = problem_of(error)
        finally:
            leave_request(token)
        status, answer_headers, content = answer
        answer_headers.append((HEADER, request_id.encode()))
        answer_headers += limits
        self.finish("POST", PREDICT.template, route, status, started, caller, request_id, trace)
        return answer

    def refuse(
        self, endpoint: Endpoint, headers: Headers, values: HeaderValues
    ) -> tuple[str | None, Answered | None, Headers]:
        """The caller's name, the refusal of what is not let in before anything of its body is read, and what every
        answer tells of the key's limit."""
        caller = refusal = None
        limits: Headers = []
        if endpoint.scope is not None and self._admission.callers is not None:
            who = self._admission
            caller, refusal, limits = admit(
                self._admission.callers, who.limits, endpoint.scope, endpoint.hidden, headers, who.requests
            )
        return caller, refusal or refuse_declared(endpoint, values), limits

    def count(self, handler: str, method: str, status: int) -> None:
        """Count an answer that is not worth a line in the log. handler: the template of its path, or UNROUTED."""
        self._requests(handler, method, status).inc()

    def finish(
        self,
        method: str,
        handler: str,
        route: str | None,
        status: int,
        started: float,
        caller: str | None,
        request_id: str,
        trace: Trace | None,
    ) -> None:
        """Count and log a request that was answered, and tell of its span.

        handler: as for count. route: the template that the log names, None for what no route was asked about.
        started: by perf_counter, seconds.
        """
        seconds = perf_counter() - started
        if handler not in QUIET:
            self._requests(handler, method, status).inc()
            self._durations(handler, method).observe(seconds)
        log_request(method, route, status, seconds, caller, request_id, None if trace is None else trace.trace_id)
        if self._spans is not None and handler not in QUIET:
            self._spans.finish(method, route, status, seconds, trace, request_id)


def _allowing(refusal: Message) -> Message:
    """The answer to OPTIONS, of that to a method that a path has not: which ones it has."""
    allow = next(value for name, value in refusal["headers"] if name == b"allow")
    allow += b", HEAD, OPTIONS" if b"GET" in allow else b", OPTIONS"
    return {**refusal, "status": 204, "headers": [(b"allow", allow)]}


SLICE_BYTES = 64 * KIB
"""Of an answer: what is not taken by a client that reads slowly is not copied for it either."""


async def _send_in_slices(message: Message, send: Send) -> None:
    content = message.get("body", b"")
    if len(content) > SLICE_BYTES:
        rest = memoryview(content)
        while len(rest) > SLICE_BYTES:
            await send({"type": message["type"], "body": bytes(rest[:SLICE_BYTES]), "more_body": True})
            rest = rest[SLICE_BYTES:]
        message = {**message, "body": bytes(rest)}
    await send(message)


class EdgeMiddleware:
    """ASGI middleware, the only one: the edge around the framework's routes."""

    def __init__(self, app: ASGIApp, edge: Edge) -> None:
        self.app = app
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = perf_counter()
        method = scope["method"]
        if method == "HEAD":
            # What GET would answer; the server, whose scope this is no more, sends nothing of its body.
            scope = {**scope, "method": "GET"}
        headers, endpoint = scope["headers"], endpoint_of(scope["path"])
        values = header_values(headers)
        request_id, trace = request_id_of(values), trace_of(values)
        body = LimitedBody(endpoint, scope["method"], values, receive, self._edge.load)
        status = None
        limits: Headers = []

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                if method == "OPTIONS" and message["status"] == 405:
                    message = _allowing(message)
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id.encode()), *limits]
            elif status == 204:
                message = {"type": "http.response.body"}
            elif body.unread and not message.get("more_body", False):
                # The end of the answer may close the connection.
                await send({**message, "more_body": True})
                await body.linger()
                message = {"type": "http.response.body"}
            await _send_in_slices(message, send)

        token = enter_request(request_id, trace)
        try:
            scope["caller"], refusal, limits = self._edge.refuse(endpoint, headers, values)
            if refusal is None:
                await self.app(scope, body, send_with_id)
            else:
                await send_answer(refusal, send_with_id)
        except Exception as error:
            # Starlette has a handler of its own for that, outside of this: its answer would carry no id and not count.
            answer = problem_of(error)
            if status is not None:
                raise
            await send_answer(answer, send_with_id)
        finally:
            body.release()
            handler = get_route_name(HTTPConnection(scope), should_include_root_path=False) or UNROUTED
            # The router leaves the route it found; a path that it does not know is the client's own text.
            route = getattr(scope.get("route"), "path", None)
            caller = scope.get("caller")
            self._edge.finish(method, handler, route, status or 500, started, caller, request_id, trace)
            leave_request(token)
        return None
