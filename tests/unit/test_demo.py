"""The demo waits for a slow server, and says for what."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from harness.waiting import PATIENCE_SECONDS
from scripts.demo import free_port, wait_until_ready


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """One that runs until it is told to end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running
        running.communicate(b"\n")


class SoonReady(BaseHTTPRequestHandler):
    """Twice no model, then ready."""

    answers = 0

    def do_GET(self) -> None:
        type(self).answers += 1
        body = b'{"detail": "no model is loaded: pulling"}' if self.answers < 3 else b"{}"
        self.send_response(503 if self.answers < 3 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what is printed is what the test looks at."""


def test_it_waits_until_the_model_is_there_and_says_so_once(
    process: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    with HTTPServer(("127.0.0.1", 0), SoonReady) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            wait_until_ready(f"http://127.0.0.1:{server.server_port}", process, 30)
        finally:
            server.shutdown()
            thread.join()
    assert SoonReady.answers == 3
    assert capsys.readouterr().out == "   waiting at most 30 s for the model: no model is loaded: pulling\n"


def test_it_gives_up_with_what_it_waited_for(process: subprocess.Popen[bytes]) -> None:
    with pytest.raises(SystemExit, match="not ready after 0 s of waiting for the server to start"):
        wait_until_ready(f"http://127.0.0.1:{free_port()}", process, 0.3)


def test_a_server_that_ended_is_not_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as ended:
        ended.wait(timeout=PATIENCE_SECONDS)
        with pytest.raises(SystemExit, match="ended with exit code 3"):
            wait_until_ready(f"http://127.0.0.1:{free_port()}", ended, 30)
