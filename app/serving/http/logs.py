"""Logs: one JSON object a line on standard output, and one line a request without anything the client sent."""

import asyncio
import logging
import logging.config
from collections import deque
from contextlib import suppress
from functools import lru_cache
from typing import Any, TextIO

from pydantic_core import to_json
from pythonjsonlogger.json import JsonFormatter

from app.serving.http.paths import QUIET
from app.serving.http.request_ids import current_request_id, current_trace_id
from app.times import microseconds_now, utc

log = logging.getLogger(__name__)


class JsonLine(JsonFormatter):
    """One JSON object a line, with the id of the request that it was written for."""

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = current_request_id() or None
        if (trace_id := current_trace_id()) is not None:
            record.trace_id = trace_id
        return super().format(record)


@lru_cache(maxsize=256)
def _shared(level: int, method: str, path: str | None, caller: str | None) -> str:
    name = logging.getLevelName(level)
    told = {"level": name, "logger": log.name, "message": "request", "method": method, "path": path, "caller": caller}
    return to_json(told)[1:-1].decode()


class TurnHandler(logging.StreamHandler[TextIO]):
    """Writes what one turn of the event loop logs at the turn's end, all at once; elsewhere each line as it comes.

    At once whatever the stream does with a line: with PYTHONUNBUFFERED each would be a write of its own.
    """

    REQUEST = logging.LogRecord(log.name, logging.INFO, "", 0, "request", None, None)
    """What is told of lines that cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        # Threads add to it and take from it without a lock.
        self._lines: deque[str] = deque()
        self._flushing: asyncio.AbstractEventLoop | None = None
        """The loop at the end of whose turn it will."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # as the library's own does with it
            self.handleError(record)
        else:
            self.write(line + self.terminator)

    def write(self, line: str) -> None:
        """A line without a record, whose making takes longer than all of the rest."""
        self._lines.append(line)
        self.flush()

    def flush(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write()
            return
        if self._flushing is not loop:
            self._flushing = loop
            loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._flushing = None
        self._write()

    def _write(self) -> None:
        lines = []
        # Another thread may take the last one.
        with suppress(IndexError):
            while True:
                lines.append(self._lines.popleft())
        try:
            self.stream.write("".join(lines))
            self.stream.flush()
        except Exception:
            self.handleError(self.REQUEST)


def logging_config(level: str) -> dict[str, Any]:
    """For logging.config.dictConfig: our own loggers and the server's in one format."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": JsonLine,
                "fmt": ["levelname", "name", "message", "request_id"],
                "rename_fields": {"levelname": "level", "name": "logger"},
                "timestamp": "time",
                "reserved_attrs": [*vars(logging.makeLogRecord({})), "message", "taskName", "color_message"],
            }
        },
        "handlers": {
            "stdout": {
                "()": TurnHandler,
                "stream": "ext://sys.stdout",
                "formatter": "json",
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.error": {"handlers": [], "propagate": True},
            # log_request writes that line, with the path's template instead of what was asked for.
            "uvicorn.access": {"handlers": [], "propagate": False},
            # One line for each question to the registry, every few seconds.
            "httpx": {"level": "WARNING"},
        },
    }


def configure_logging(level: str) -> None:
    # No line shows them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.config.dictConfig(logging_config(level))


def log_request(
    method: str,
    path: str | None,
    status: int,
    seconds: float,
    caller: str | None,
    request_id: str,
    trace_id: str | None,
) -> None:
    """Log a request that was answered.

    path: the route's template, None where there is none. request_id, trace_id: of app.serving.http.request_ids.
    """
    # Machines ask some every few seconds: their lines would bury the others.
    level = logging.DEBUG if path in QUIET else logging.INFO
    if not log.isEnabledFor(level):
        return
    now = f"{utc(microseconds_now())[:-1]}+00:00"
    # Nothing in these needs to be quoted: an id is of SANE characters.
    own = f'"request_id":"{request_id}","status":{status},"duration_ms":{seconds * 1000:.3f},"time":"{now}"'
    if trace_id is not None:
        own += f',"trace_id":"{trace_id}"'
    line = f"{{{_shared(level, method, path, caller)},{own}}}\n"
    for handler in logging.root.handlers:
        if isinstance(handler, TurnHandler):
            handler.write(line)
