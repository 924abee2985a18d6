"""What comes before a body, sent as bytes to a real server."""

import json
import select
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from app.serving.http.bounds import MOST_HEAD_BYTES
from app.serving.http.workload import MOST_WAITING
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
    assert httpx.get(f"{server.url}/livez", timeout=PATIENCE_SECONDS).status_code == 200


def test_a_large_body_is_no_large_head(server: Server) -> None:
    row = json_file("request.json")["data"]["features"]
    answer = httpx.post(f"{server.url}/predict/batch", json={"data": {"rows": [row] * 9000}}, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200


def test_many_requests_of_one_connection_are_counted_apart(server: Server) -> None:
    headers = {"X-Filler": "a" * 30_000}
    with httpx.Client(base_url=server.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
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


def test_clients_whose_bodies_do_not_come_keep_nobody_waiting(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as client, waiting_requests(server, MOST_WAITING):
        answers = [client.post("/predict", json=json_file("request.json")).status_code for _ in range(20)]
    assert answers == [200] * 20


def test_a_client_that_sends_all_of_a_head_too_large_before_it_reads_gets_the_refusal(server: Server) -> None:
    head, _ = answer_to(server, b"GET /livez HTTP/1.1\r\nX-Long: " + b"a" * 5_000_000 + b"\r\n\r\n")
    assert head.startswith("HTTP/1.1 431 ")


def test_a_client_that_sends_what_is_no_http_before_it_reads_gets_the_refusal(server: Server) -> None:
    head, _ = answer_to(server, b"HELLO\r\n" + b"a" * 5_000_000)
    assert head.startswith("HTTP/1.1 400 ")


def test_who_is_refused_and_goes_on_sending_is_cut_off(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as connection:
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(b"HELLO\r\n" + b"a" * 1_000_000_000)


def test_a_client_that_reads_nothing_is_cut_off(server: Server) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n")
        # Where there is nothing to read any more, what was sent after the first bytes is gone.
        received = wait_until(lambda: unread(connection), lambda it: it >= 0, PATIENCE_SECONDS)
    assert received < 1_000_000


def unread(connection: socket.socket) -> int:
    """Bytes that came after the server has cut the client off; -1 while it has not."""
    events = select.poll()
    events.register(connection, select.POLLRDHUP)
    if not any(event & (select.POLLRDHUP | select.POLLHUP | select.POLLERR) for _, event in events.poll(0)):
        return -1
    try:
        return sum(len(it) for it in iter(lambda: connection.recv(65536), b""))
    except ConnectionResetError:
        return 0


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
    with waiting_requests(server, MOST_WAITING, "/nowhere") as connections:
        assert {connection.recv(12) for connection in connections} == {b"HTTP/1.1 404"}
        assert (
            httpx.post(f"{server.url}/predict", json=json_file("request.json"), timeout=PATIENCE_SECONDS).status_code
            == 200
        )
