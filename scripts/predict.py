"""Ask a running service for a decision: `python -m scripts.predict URL FILE`, or --context CONTEXT FILE."""

import argparse
import json
from pathlib import Path
from typing import Any

import httpx

from scripts.kube import port_forward


def predict(url: str, body: bytes) -> Any:
    """The service's answer to a POST /predict with that body; raises SystemExit with the reason when it refuses."""
    try:
        answer = httpx.post(f"{url}/predict", content=body, headers={"Content-Type": "application/json"}, timeout=10)
    except httpx.TransportError as error:
        raise SystemExit(f"error: nothing answers at {url} ({error}); start it with make serve") from error
    if answer.status_code != httpx.codes.OK:
        raise SystemExit(f"error: {answer.status_code} {answer.text}")
    return answer.json()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.predict", description="Ask for one decision.")
    parser.add_argument("--context", help="kubeconfig context of a cluster to port-forward into")
    parser.add_argument("url", nargs="?", default="", help="address of the service, when not in a cluster")
    parser.add_argument("file", type=Path, help="the request's body")
    options = parser.parse_args()
    body = options.file.read_bytes()
    if options.context:
        with port_forward(options.context, "service/api", 8000) as address:
            answer = predict(f"http://{address}", body)
    else:
        answer = predict(options.url, body)
    print(json.dumps(answer, indent=2))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
