"""Ask a running service for a decision: `python -m scripts.predict URL FILE`."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx


def predict(url: str, body: bytes) -> Any:
    """The service's answer to a POST /predict with that body; raises SystemExit with the reason when it refuses."""
    try:
        answer = httpx.post(f"{url}/predict", content=body, headers={"Content-Type": "application/json"}, timeout=10)
    except httpx.TransportError as error:
        raise SystemExit(f"error: nothing answers at {url} ({error}); start it with make serve") from error
    if answer.status_code != httpx.codes.OK:
        raise SystemExit(f"error: {answer.status_code} {answer.text}")
    return answer.json()


if __name__ == "__main__":
    print(json.dumps(predict(sys.argv[1], Path(sys.argv[2]).read_bytes()), indent=2))  # noqa: T201 - its output
