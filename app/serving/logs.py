"""Logs: one JSON object a line on standard output, and one line a request without anything the caller sent."""

import logging
import logging.config
from time import perf_counter
from typing import Any

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


def logging_config(level: str) -> dict[str, Any]:
    """For logging.config.dictConfig: our own loggers and the server's in one format."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": WithRequestId}},
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
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
            log.log(
                logging.DEBUG if path in QUIET_PATHS else logging.INFO,
                "request",
                extra={
                    "method": scope["method"],
                    "path": path,
                    "status": status,
                    "duration_ms": round((perf_counter() - started) * 1000, 3),
                    "caller": scope.get("caller"),
                },
            )
