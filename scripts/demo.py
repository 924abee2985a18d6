"""The main job on one machine: train on the synthetic sample, register, gate, serve, and show a decision.

Everything it makes is under build/demo: MLflow's SQLite file, its artifacts, the model cache and the record.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import httpx

from app.settings import WELL_KNOWN, ServingSettings
from scripts.credit import PROGRAM
from scripts.predict import predict

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "demo"
REQUEST = ROOT / "tests" / "data" / "request.json"
START_SECONDS = 60.0
"""For the server to start, before it pulls the model."""

PULL_SECONDS = ServingSettings().pull_timeout_seconds


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(url: str, server: subprocess.Popen[bytes], seconds: float) -> None:
    """Return when /readyz answers 200, and say what it waits for meanwhile.

    Raises SystemExit with the last thing seen when the server ends, or after so many seconds.
    """
    deadline, seen = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"error: the server ended with exit code {server.returncode}")
        try:
            answer = httpx.get(f"{url}/readyz", timeout=5)
            if answer.status_code == httpx.codes.OK:
                return
            now = f"the model: {answer.json()['detail']}"
        except httpx.TransportError:
            now = "the server to start"
        if now != seen:
            say(f"   waiting at most {seconds:.0f} s for {now}")
            seen = now
        time.sleep(0.1)  # the interval of the poll, not the wait itself
    raise SystemExit(f"error: not ready after {seconds:.0f} s of waiting for {seen}")


def main() -> None:
    """Run the demo; raises SystemExit when a step fails."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    # The demo shows the defaults, whatever is set for other work.
    bare = {name: value for name, value in os.environ.items() if name not in WELL_KNOWN and "__" not in name}
    environment = bare | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{FOLDER / 'mlflow.db'}",
        "SERVING__CACHE_DIR": str(FOLDER / "models"),
        "AUDIT__JOURNAL_DIR": str(FOLDER / "journal"),
        "DATABASE_URI": f"sqlite:///{FOLDER / 'decisions.db'}",
        "SERVING__LOG_LEVEL": "WARNING",
        "SERVING__PULL_TIMEOUT_SECONDS": str(PULL_SECONDS),
    }
    say("1. Train on the synthetic sample, register the model, let the gate decide")
    trained = subprocess.run([PROGRAM, "train"], cwd=ROOT, env=environment, check=False)
    if trained.returncode != 0:
        raise SystemExit(f"error: training ended with exit code {trained.returncode}")

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    say(f"2. Serve models:/credit-default-model@production at {url}")
    command = [PROGRAM, "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as server:
        try:
            wait_until_ready(url, server, START_SECONDS + PULL_SECONDS)
            say(f"3. POST /predict {REQUEST.read_text().strip()}")
            say(json.dumps(predict(url, REQUEST.read_bytes()), indent=2))
        finally:
            server.terminate()


def say(text: str) -> None:
    """One step or result for the person who watches."""
    print(text, flush=True)  # noqa: T201 - its output


if __name__ == "__main__":
    main()
