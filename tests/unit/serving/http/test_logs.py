import asyncio
import io
import json
import logging
import logging.config
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from app.serving.http.logs import TurnHandler, log_request, logging_config
from tests.support.fakes import Api, constant_model, json_file


class Lines:
    """Everything logged, as the objects that the lines are."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.read() if line["logger"] == logger]


@pytest.fixture
def lines() -> Iterator[Lines]:
    found = Lines()
    before = logging.root.handlers[:], logging.root.level
    config = logging_config("INFO")
    config["handlers"]["stdout"]["stream"] = found.stream
    logging.config.dictConfig(config)
    yield found
    logging.root.handlers, level = before
    logging.root.setLevel(level)


def test_a_line_has_time_level_logger_message_and_request_id(lines: Lines) -> None:
    logging.getLogger("somewhere").warning("it %s", "rains", extra={"model_version": "3"})
    (line,) = lines.of("somewhere")
    assert (line["level"], line["message"], line["request_id"], line["model_version"]) == (
        "WARNING",
        "it rains",
        None,
        "3",
    )
    assert datetime.fromisoformat(line["time"]).utcoffset() is not None
    assert set(line) == {"level", "logger", "message", "request_id", "time", "model_version"}


def test_a_traceback_stays_on_one_line(lines: Lines) -> None:
    try:
        raise ValueError("bad")
    except ValueError:
        logging.getLogger("somewhere").exception("failed")
    assert "ValueError: bad" in lines.of("somewhere")[0]["exc_info"]


def test_the_servers_own_lines_have_the_same_form(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "\x1b[36mStarted"})
    assert "color_message" not in lines.of("uvicorn.error")[0]


def test_a_request_is_one_line_with_its_path_template_status_and_duration(lines: Lines) -> None:
    answer = Api(constant_model(0.3)).post("/predict", json_file("request.json"), {"X-Request-ID": "mine"})
    assert answer.status_code == 200
    (line,) = lines.of("app.serving.http.logs")
    assert (line["method"], line["path"], line["status"], line["request_id"]) == ("POST", "/predict", 200, "mine")
    assert 0 < line["duration_ms"] < 10_000


def test_nothing_the_caller_sent_is_logged(lines: Lines) -> None:
    api = Api(constant_model(0.3))
    api.post("/predict?income=5400", json_file("request.json"))
    api.post("/predict", {"data": {"features": ["5400"]}})
    api.get("/customers/5400")
    assert len(lines.of("app.serving.http.logs")) == 3
    assert "5400" not in "".join(str(line) for line in lines.of("app.serving.http.logs"))


def test_probes_and_scrapes_are_not_logged(lines: Lines) -> None:
    api = Api(constant_model(0.3))
    for path in ("/livez", "/readyz", "/metrics"):
        api.get(path)
    assert lines.of("app.serving.http.logs") == []


class Flushes(io.StringIO):
    """Counts how often it was written to and flushed."""

    written = flushed = 0

    def write(self, text: str) -> int:
        self.written += 1
        return super().write(text)

    def flush(self) -> None:
        self.flushed += 1


class Full(io.StringIO):
    """Takes nothing."""

    def flush(self) -> None:
        raise OSError("no space left on device")


def test_lines_of_one_turn_are_written_together_in_their_order() -> None:
    stream = Flushes()
    handler = TurnHandler(stream)

    async def log() -> None:
        for number in range(3):
            handler.write(f"{number}\n")
        handler.emit(logging.makeLogRecord({"msg": "last"}))
        assert stream.flushed == 0
        await asyncio.sleep(0)
        assert (stream.written, stream.flushed) == (1, 1)

    asyncio.run(log())
    assert stream.getvalue() == "0\n1\n2\nlast\n"


def test_lines_outside_of_a_loop_are_written_as_they_come() -> None:
    stream = Flushes()
    handler = TurnHandler(stream)
    asyncio.run(asyncio.sleep(0))
    handler.write("a\n")
    handler.write("b\n")
    assert stream.flushed == 2


def test_a_line_that_cannot_be_written_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    handler = TurnHandler(Full())

    async def log() -> None:
        handler.write("in a turn\n")
        await asyncio.sleep(0)

    handler.write("alone\n")
    asyncio.run(log())
    assert capsys.readouterr().err.count("OSError: no space left on device") == 2


def test_what_comes_with_a_request_is_quoted(lines: Lines) -> None:
    log_request("POST", "/predict", 200, 0.0012346, 'The "Office"\n', "id-1", None)
    (line,) = lines.of("app.serving.http.logs")
    assert (line["caller"], line["duration_ms"]) == ('The "Office"\n', 1.235)
    assert (line["level"], line["request_id"]) == ("INFO", "id-1")
    assert datetime.fromisoformat(line["time"]).utcoffset() is not None
