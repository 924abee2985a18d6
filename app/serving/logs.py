"""Logs: one JSON object a line on standard output, and one line a request without anything the caller sent."""

import logging
import logging.config
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from pydantic_core import to_json
from pythonjsonlogger.json import JsonFormatter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.serving.request_ids import current_request_id

# Asked every few seconds by machines; their lines would bury the others.
QUIET_PATHS = frozenset({"/livez", "/readyz", "/metrics"})

log = logging.getLogger(__name__)


class WithRequestId(logging.Filter):
    """Gives each record the id of the request that it was written for."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id() or None
        return True


class Lines(JsonFormatter):
    """One JSON object a line. Those of requests are many and all alike: theirs is written without a detour."""

    def format(self, record: logging.LogRecord) -> str:
        request = getattr(record, "request", None)
        if request is None:
            return super().format(record)
        method, path, status, duration_ms, caller = request
        told = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.msg,
            "request_id": getattr(record, "request_id", None),
            "method": method,
            "path": path,
            "status": status,
            "duration_ms": duration_ms,
            "caller": caller,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        return to_json(told).decode()


def logging_config(level: str) -> dict[str, Any]:
    """For logging.config.dictConfig: our own loggers and the server's in one format."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": WithRequestId}},
        "formatters": {
            "json": {
                "()": Lines,
                "fmt": ["levelname", "name", "message", "request_id"],
                "rename_fields": {"levelname": "level", "name": "logger"},
                "timestamp": "time",
                "reserved_attrs": [*vars(logging.makeLogRecord({})), "message", "taskName", "color_message"],
            }
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "json",
                "filters": ["request_id"],
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.error": {"handlers": [], "propagate": True},
            # RequestLog writes that line, with the path's template instead of what was asked for.
            "uvicorn.access": {"handlers": [], "propagate": False},
            # One line for each question to the registry, every few seconds.
            "httpx": {"level": "WARNING"},
        },
    }


def configure_logging(level: str) -> None:
    # No line shows them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.config.dictConfig(logging_config(level))


class RequestLog:
    """ASGI middleware: method, path template, status, duration and the caller's name of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            # The router leaves the route it found; a path that it does not know is the caller's own text.
            path = getattr(scope.get("route"), "path", None)
            log_request(scope["method"], path, status, perf_counter() - started, scope.get("caller"))


def log_request(method: str, path: str | None, status: int, seconds: float, caller: str | None) -> None:
    """path: the route's template, None where there is none."""
    level = logging.DEBUG if path in QUIET_PATHS else logging.INFO
    if log.isEnabledFor(level):
        # As log.log would, without looking for the line of code that it was called from.
        record = logging.LogRecord(log.name, level, "", 0, "request", None, None)
        record.request = (method, path, status, round(seconds * 1000, 3), caller)
        log.handle(record)
