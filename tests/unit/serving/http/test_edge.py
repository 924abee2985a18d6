"""A request is answered the same at once and through the framework, and leaves the same behind."""

import io
import json
import logging
import logging.config
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import generate_latest
from starlette.types import Receive, Scope, Send

from app.callers.known import Callers
from app.scoring.model import ScoringModel
from app.serving.http.logs import logging_config
from app.settings import Settings
from harness.servers import audit_in
from loadtests.payloads import JSON, Payload, applicant, bad, documented, row, single
from tests.support.fakes import Api, caller, constant_document, constant_model, json_file
from tests.support.journals import chains
from tests.support.wire import exchange, post

REQUESTS = 3_000
KEYS = Callers((caller("office", "cdk_office", "predict"), caller("auditor", "cdk_auditor", "read")))
HEADERS: list[dict[str, str]] = [
    {},
    {"Authorization": "Bearer cdk_office"},
    {"Authorization": "Bearer cdk_auditor"},
    {"Authorization": "Bearer cdk_nobody"},
    {"Content-Encoding": "gzip"},
    {"Expect": "100-continue"},
]
TIMES = re.compile(r"_seconds(_bucket|_sum|_created|\b)|_created|timestamp")


def varied_model() -> ScoringModel:
    """Accepts and refuses, by what it is asked."""
    return replace(constant_model(0.3), scorer=lambda inputs: min(0.99, abs(inputs[0]) % 0.1))


WAYS = ("framework", "at once")
"""As any ASGI server runs it, and as the server that knows the fast path does."""


class Side:
    """One of the ways to the same service, with all that a request leaves behind."""

    def __init__(self, folder: Path, way: str, callers: Callers | None, model: ScoringModel | None) -> None:
        self.folder = folder / "journal"
        self.api = Api(model, Settings(audit=audit_in(folder)), callers, recorded=True)
        self.edge = self.api.edge if way == "at once" else None
        self.through_framework = 0

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self.through_framework += 1
            await self.api.app(scope, receive, send)

        self.app = counted

    def ask(self, payload: Payload, headers: dict[str, str]) -> tuple[int, bytes]:
        """The status, and all bytes of the answer without the id that differs by its nature."""
        sent = headers | ({} if payload.content_type is None else {"Content-Type": payload.content_type})
        answer = exchange(self.app, self.edge, post(payload.path, payload.body.encode(), list(sent.items())))
        identity = re.search(rb"\r\nx-decision-id: (\S+)\r\n", answer)
        if identity:
            assert answer.count(identity[1]) == 2
            answer = answer.replace(identity[1], b"ID")
        final = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        return int(final.split()[1]), answer

    def metrics(self) -> list[str]:
        """Everything that is no time."""
        lines = generate_latest(self.api.metrics.registry).decode().splitlines()
        return [line for line in lines if not TIMES.search(line.split("{")[0])] + [
            line for line in lines if line.startswith("http_request_duration_seconds_count")
        ]

    def records(self) -> list[dict[str, Any]]:
        """In their order, without what differs by its nature."""
        links = [link for found in chains(self.folder).values() for link in found] if self.folder.is_dir() else []
        own = ("writer", "previous", "at", "key")
        return [{name: value for name, value in link.fields.items() if name not in own} for link in links]


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The lines of requests, without their times."""
    before, lines, stream = (logging.root.handlers[:], logging.root.level), list[dict[str, Any]](), io.StringIO()
    config = logging_config("INFO")
    config["handlers"]["stdout"]["stream"] = stream
    logging.config.dictConfig(config)
    yield lines
    logging.root.handlers, level = before
    logging.root.setLevel(level)
    for line in stream.getvalue().splitlines():
        told = json.loads(line)
        lines.append({name: value for name, value in told.items() if name not in ("time", "duration_ms", "error")})


def payloads(random: Random) -> Iterator[tuple[Payload, dict[str, str]]]:
    """Good and bad ones of every kind."""
    wrong = bad()
    for number in range(REQUESTS):
        headers = random.choice(HEADERS) if random.random() < 0.2 else {}
        headers = headers | {"X-Request-ID": f"request-{number}"}
        kind = random.random()
        if kind < 0.6:
            payload = single(random)
        elif kind < 0.65:
            payload = random.choice(documented())
        elif kind < 0.8:
            payload = random.choice(wrong)
        elif kind < 0.9:
            payload = damaged(random)
        else:
            values = applicant(random) if random.random() < 0.5 else row(random)
            payload = Payload("/predict", json.dumps({"data": values}), content_type=random.choice([JSON, None, "x/y"]))
        yield payload, headers


def damaged(random: Random) -> Payload:
    """A good body with some characters gone."""
    body = single(random).body
    start = random.randrange(len(body))
    return Payload("/predict", body[:start] + body[start + random.randint(1, 5) :])


@pytest.mark.parametrize("callers", [None, KEYS], ids=["open", "keys"])
def test_both_ways_answer_thousands_of_requests_alike(tmp_path: Path, callers: Callers | None) -> None:
    requests = list(payloads(Random(8)))
    sides = {way: Side(tmp_path / way, way, callers, varied_model()) for way in WAYS}
    answers, told = {}, {}
    for way, side in sides.items():
        with logged() as told[way]:
            answers[way] = [side.ask(*request) for request in requests]
    statuses = {status for status, _ in answers["framework"]}
    assert statuses >= ({200, 415, 422} if callers is None else {200, 401, 403, 415, 422})
    framework, at_once = sides["framework"], sides["at once"]
    assert framework.records() != []
    for request, one, other in zip(requests, answers["framework"], answers["at once"], strict=True):
        assert one == other, request
    assert told["at once"] == told["framework"]
    assert at_once.metrics() == framework.metrics()
    assert at_once.records() == framework.records()
    assert framework.through_framework == len(requests)
    # What waits to be told to go on, and what is for another path.
    assert 0 < at_once.through_framework < len(requests) * 0.1


def crash(inputs: Any) -> float:
    """For everybody but the reference applicant, whom a model scores when it is loaded."""
    if set(inputs) == {1.0}:
        return 0.01
    raise ArithmeticError("no logarithm of 0")


@pytest.mark.parametrize(
    ("model", "status"), [(None, 503), (ScoringModel(constant_document(0.3), crash), 500)], ids=["no model", "crash"]
)
def test_both_ways_fail_alike(tmp_path: Path, model: ScoringModel | None, status: int) -> None:
    sides = [Side(tmp_path / way, way, None, model) for way in WAYS]
    answers = {side.ask(documented()[0], {"X-Request-ID": "mine"}) for side in sides}
    assert {status for status, _ in answers} == {status}
    assert len(answers) == 1
    assert sides[0].metrics() == sides[1].metrics()


def test_both_ways_refuse_alike_what_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way of the folder")
    sides = [Side(tmp_path, way, None, constant_model(0.3)) for way in WAYS]
    answers = {side.ask(documented()[0], {"X-Request-ID": "mine"}) for side in sides}
    assert {status for status, _ in answers} == {503}
    assert len(answers) == 1
    assert sides[0].metrics() == sides[1].metrics()


def test_a_request_without_an_id_is_given_one() -> None:
    api = Api(constant_model(0.3))
    first, second = (api.post("/predict", json_file("request.json")).headers["X-Request-ID"] for _ in range(2))
    assert {UUID(first).version, UUID(second).version} == {7}
    assert first < second
