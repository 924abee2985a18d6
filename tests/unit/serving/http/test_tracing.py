"""A trace that the client names is in the log and the record, and what is sampled reaches a collector as a span."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from app.serving.http.tracing import Spans, Trace, spans_of, trace_of
from app.settings import TracingSettings
from harness.servers import environment_of, log_lines, running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from tests.support.fakes import json_file, settings_for

TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE_ID}-{PARENT_ID}-01"
REQUEST = json_file("request.json")


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (SAMPLED, Trace(TRACE_ID, PARENT_ID, True)),
        (f"00-{TRACE_ID}-{PARENT_ID}-00", Trace(TRACE_ID, PARENT_ID, False)),
        (f"00-{TRACE_ID}-{PARENT_ID}-03", Trace(TRACE_ID, PARENT_ID, True)),
        (f"01-{TRACE_ID}-{PARENT_ID}-01-more", Trace(TRACE_ID, PARENT_ID, True)),
        (f"00-{TRACE_ID}-{PARENT_ID}-01-more", None),
        (f"ff-{TRACE_ID}-{PARENT_ID}-01", None),
        (f"00-{'0' * 32}-{PARENT_ID}-01", None),
        (f"00-{TRACE_ID}-{'0' * 16}-01", None),
        (f"00-{TRACE_ID.upper()}-{PARENT_ID}-01", None),
        ("4bf92f", None),
        ("", None),
    ],
)
def test_a_header_is_a_trace_or_none(header: str, known: Trace | None) -> None:
    assert trace_of({b"traceparent": header.encode()}) == known


def test_without_the_header_there_is_none() -> None:
    assert trace_of({}) is None


class Collector:
    """What speaks OTLP over HTTP."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name that http.server looks for
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.paths.add(self.path)
                outer.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: a test's output is its own."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@contextmanager
def spans(collector: Collector, share: float = 0.0) -> Iterator[Spans]:
    made = spans_of(TracingSettings(endpoint=collector.url, sampled_share=share))
    assert made is not None
    yield made
    made.close()


def test_a_sampled_trace_goes_on_in_a_span(collector: Collector) -> None:
    with spans(collector) as telling:
        telling.finish("POST", "/predict", 200, 0.25, Trace(TRACE_ID, PARENT_ID, True), "r-1")
    (span,) = collector.spans
    assert (span.name, span.kind) == ("POST /predict", Span.SPAN_KIND_SERVER)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, PARENT_ID)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 250_000_000
    told = {it.key: it.value.string_value or it.value.int_value for it in span.attributes}
    assert told == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
        "request_id": "r-1",
    }
    (resource,) = collector.requests[0].resource_spans
    assert ("service.name", "credit-api") in {(it.key, it.value.string_value) for it in resource.resource.attributes}
    assert collector.paths == {"/v1/traces"}


def test_what_is_not_sampled_is_not_told(collector: Collector) -> None:
    with spans(collector) as telling:
        telling.finish("POST", "/predict", 200, 0.1, Trace(TRACE_ID, PARENT_ID, False), "r-1")
        telling.finish("POST", "/predict", 200, 0.1, None, "r-2")
    assert collector.requests == []


def test_without_a_trace_the_share_decides(collector: Collector) -> None:
    with spans(collector, share=1.0) as telling:
        telling.finish("GET", None, 404, 0.1, None, "r-1")
    (span,) = collector.spans
    assert (span.name, span.parent_span_id) == ("GET", b"")


def test_without_a_collector_there_are_no_spans() -> None:
    assert spans_of(TracingSettings()) is None


def test_a_server_tells_its_collector_before_it_ends(collector: Collector, tmp_path: Path) -> None:
    environment = environment_of(settings_for(tmp_path)) | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with running_server(environment, tmp_path / "log") as server:
        headers = {"traceparent": SAMPLED}
        for path in ("/predict", "/predict/batch"):
            answer = httpx.post(server.url + path, json=REQUEST, headers=headers, timeout=PATIENCE_SECONDS)
            assert answer.status_code in {422, 503}
        httpx.get(f"{server.url}/livez", headers=headers, timeout=PATIENCE_SECONDS)
        os.kill(server.process.pid, signal.SIGTERM)
        wait_until(server.process.poll, lambda it: it is not None)
    by_name = {it.name: it for it in collector.spans}
    assert by_name.keys() == {"POST /predict", "POST /predict/batch"}
    assert by_name["POST /predict"].status.code == Status.STATUS_CODE_ERROR
    assert {it.trace_id.hex() for it in collector.spans} == {TRACE_ID}
    told = [it for it in log_lines(tmp_path / "log") if it["message"] == "request"]
    assert {it["trace_id"] for it in told} == {TRACE_ID}
