"""The API at the address of localhost that the kind cluster gives it."""

from typing import Any

import httpx

from app.serving.api.schema import Meta, PredictAnswer
from tests.support.fakes import DATA

LOCAL = "http://127.0.0.1:8000"
REQUEST = (DATA / "request.json").read_text()
TIMEOUT_SECONDS = 30.0


def decide(url: str = LOCAL, body: str = REQUEST) -> dict[str, Any]:
    """The decision on a body that is valid."""
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{url}/predict", content=body, headers=headers, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200, answer.text
    return PredictAnswer.model_validate(answer.json()).model_dump()


def apart_from_id(answer: dict[str, Any]) -> dict[str, Any]:
    """What two decisions on the same applicant share."""
    return {name: value for name, value in answer.items() if name != "decision_id"}


def meta() -> Meta:
    """What serves now."""
    return Meta.model_validate(httpx.get(f"{LOCAL}/meta", timeout=TIMEOUT_SECONDS).json())
