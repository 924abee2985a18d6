"""The trace that a request belongs to (W3C Trace Context), and its span for a collector that speaks OTLP."""

import re
from dataclasses import dataclass
from random import random
from time import time_ns
from typing import TYPE_CHECKING

from app import __version__
from app.serving.http.messages import HeaderValues
from app.settings import TracingSettings

if TYPE_CHECKING:
    from opentelemetry.context import Context

HEADER = b"traceparent"
# Version 00 has four parts; a later one may have more behind them. Zeros alone are no ids.
PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
SAMPLED = 1
"""Bit of the flags: who began the trace keeps it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """As the client names it; ids in hex."""

    trace_id: str
    parent_id: str
    sampled: bool


def trace_of(headers: HeaderValues) -> Trace | None:
    """None where the client names none, or none as it has to be named."""
    given = headers.get(HEADER)
    if given is None or (found := PARENT.fullmatch(given)) is None:
        return None
    if given.startswith(b"00") and found[4] is not None:
        return None
    return Trace(found[1].decode(), found[2].decode(), bool(int(found[3], 16) & SAMPLED))


class Spans:
    """Brings one span a sampled request to a collector, in batches, from a thread of its own.

    settings: with an endpoint. Loads OpenTelemetry.
    """

    def __init__(self, settings: TracingSettings) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        about = {"service.name": settings.service_name, "service.version": __version__}
        self._share = settings.sampled_share
        # What is sampled is decided here, because a span that is not costs as much to begin.
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=Resource.create(about), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{settings.endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("credit-default-decisions", __version__)

    def finish(
        self, method: str, route: str | None, status: int, seconds: float, trace: Trace | None, request_id: str
    ) -> None:
        """A request was answered; whether it is told follows the client, or without a trace of its own the share."""
        if trace is not None and not trace.sampled:
            return
        if trace is None and random() >= self._share:
            return
        from opentelemetry.trace import SpanKind, StatusCode

        end = time_ns()
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "http.response.status_code": status,
            "request_id": request_id,
        }
        if route is not None:
            attributes["http.route"] = route
        span = self._tracer.start_span(
            f"{method} {route}" if route else method,
            context=_parent(trace),
            kind=SpanKind.SERVER,
            attributes=attributes,
            start_time=end - int(seconds * 1e9),
        )
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end(end)

    def close(self) -> None:
        """What waits is sent, or given up within seconds."""
        self._provider.shutdown()


def _parent(trace: Trace | None) -> "Context | None":
    if trace is None:
        return None
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    flags = TraceFlags(TraceFlags.SAMPLED)
    return set_span_in_context(
        NonRecordingSpan(SpanContext(int(trace.trace_id, 16), int(trace.parent_id, 16), True, flags))
    )


def spans_of(settings: TracingSettings) -> Spans | None:
    """None where no collector is named."""
    return Spans(settings) if settings.endpoint else None
