"""What comes before a body, sent as bytes to a real server."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from app.serving.http.bounds import MOST_HEAD_BYTES, MOST_UNDER_WAY
from harness.servers import Server, environment_of, running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from tests.support.fakes import cached_model, constant_document, json_file, settings_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("protocol")
    settings = settings_for(folder, tracking_uri="http://127.0.0.1:9")
    cached_model(settings, constant_document(0.3))
    with running_server(environment_of(settings), folder / "log") as running:
        running.wait_ready()
        yield running


def answer_to(server: Server, request: bytes) -> tuple[str, bytes]:
    """The head and the body of the answer to raw bytes; the rest is not sent once the server has closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        try:
            connection.sendall(request)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        except (BrokenPipeError, ConnectionResetError):
            received = b""
    head, _, body = received.partition(b"\r\n\r\n")
    return head.decode(), body


def test_a_head_without_end_is_cut_off(server: Server) -> None:
    head, body = answer_to(server, b"GET /livez HTTP/1.1\r\nX-Long: " + b"a" * (MOST_HEAD_BYTES + 1))
    assert head.startswith("HTTP/1.1 431 ")
    assert "application/problem+json" in head
    assert "64 KiB" in json.loads(body)["detail"]


def test_a_flood_of_headers_is_cut_off_and_others_are_answered(server: Server) -> None:
    answer_to(server, b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 2_000_000)
    assert httpx.get(f"{server.url}/livez").status_code == 200


def test_a_large_body_is_no_large_head(server: Server) -> None:
    row = json_file("request.json")["data"]["features"]
    answer = httpx.post(f"{server.url}/predict/batch", json={"data": {"rows": [row] * 9000}})
    assert answer.status_code == 200


def test_many_requests_of_one_connection_are_counted_apart(server: Server) -> None:
    headers = {"X-Filler": "a" * 30_000}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        assert {client.get("/livez").status_code for _ in range(5)} == {200}


def test_what_is_no_http_is_a_problem_too(server: Server) -> None:
    head, body = answer_to(server, b"HELLO\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 ")
    assert json.loads(body)["status"] == 400


@contextmanager
def waiting_requests(server: Server, count: int, path: str = "/predict") -> Iterator[list[socket.socket]]:
    """Requests whose bodies do not come, for as long as the block runs."""
    described = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    with ExitStack() as stack:
        open_ = []
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)
            stack.enter_context(connection).sendall(f"POST {path} HTTP/1.1\r\n{described}".encode())
            open_.append(connection)
        yield open_


def shed(server: Server) -> float:
    text = httpx.get(f"{server.url}/metrics").text
    labels = 'http_requests_total{handler="/predict",method="POST",status="503"} '
    return sum(float(line.removeprefix(labels)) for line in text.splitlines() if line.startswith(labels))


def test_a_decision_that_finds_too_many_before_it_is_told_to_ask_again(server: Server) -> None:
    body, before = json_file("request.json"), shed(server)
    with httpx.Client(base_url=server.url) as client, waiting_requests(server, MOST_UNDER_WAY):
        answer = wait_until(
            lambda: client.post("/predict", json=body), lambda it: it.status_code == 503, PATIENCE_SECONDS
        )
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == 503
        # The same connection goes on, and whoever watches is answered as ever.
        assert client.post("/predict", json=body).status_code == 503
        assert client.get("/readyz").status_code == 200
        large = client.post("/predict/batch", content=b" " * 2_000_000)
        assert large.status_code == 503
    assert shed(server) >= before + 2
    assert wait_until(
        lambda: httpx.post(f"{server.url}/predict", json=body).status_code, lambda it: it == 200, PATIENCE_SECONDS
    )


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/nowhere"])
def test_a_client_that_sends_all_of_a_body_too_large_before_it_reads_gets_the_refusal(
    server: Server, path: str
) -> None:
    # urllib asks for the connection to be closed with the answer.
    request = urllib.request.Request(f"{server.url}{path}", b" " * 6_000_000, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
    assert raised.value.code == 413
    raised.value.close()


def test_a_client_that_goes_on_sending_is_cut_off(server: Server) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(b" " * 1_000_000_000)


def test_answered_requests_whose_body_does_not_come_keep_nobody_waiting(server: Server) -> None:
    with waiting_requests(server, MOST_UNDER_WAY, "/nowhere") as connections:
        assert {connection.recv(12) for connection in connections} == {b"HTTP/1.1 404"}
        assert httpx.post(f"{server.url}/predict", json=json_file("request.json")).status_code == 200
