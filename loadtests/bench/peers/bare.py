"""A constant answer from ASGI alone: what the server under every other one costs."""

from typing import Any

BODY = b'{"probability": 0.01846281396294126, "decision": "ACCEPT", "reasons": [], "model_version": "1"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope: Any, _: Any, send: Any) -> None:
    """Answers every request alike."""
    # The server asks about a lifespan first, and goes on without one when that fails.
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
