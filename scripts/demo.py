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

from app.settings import WELL_KNOWN
from scripts.credit import PROGRAM
from scripts.predict import predict

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "demo"
REQUEST = ROOT / "tests" / "data" / "request.json"
READY_SECONDS = 60.0


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Return when /readyz answers 200; raises SystemExit with the last thing seen after READY_SECONDS."""
    deadline, seen = time.monotonic() + READY_SECONDS, "nothing"
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"error: the server ended with exit code {server.returncode}")
        try:
            answer = httpx.get(f"{url}/readyz", timeout=1)
            if answer.status_code == httpx.codes.OK:
                return
            seen = f"{answer.status_code} {answer.text}"
        except httpx.TransportError as error:
            seen = repr(error)
        time.sleep(0.1)  # the interval of the poll, not the wait itself
    raise SystemExit(f"error: not ready after {READY_SECONDS} s; last seen: {seen}")


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
            wait_until_ready(url, server)
            say(f"3. POST /predict {REQUEST.read_text().strip()}")
            say(json.dumps(predict(url, REQUEST.read_bytes()), indent=2))
        finally:
            server.terminate()


def say(text: str) -> None:
    """One step or result for the person who watches."""
    print(text, flush=True)  # noqa: T201 - its output


if __name__ == "__main__":
    main()
