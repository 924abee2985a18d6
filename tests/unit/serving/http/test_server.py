"""Nobody waits to be let in, and a server that is asked to stop loses no request of a kept connection."""

import asyncio
import signal
import socket
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import uvloop

from app.serving.http.protocol import FastPathProtocol
from app.serving.http.server import ACCEPTED_A_TURN, DrainingServer
from harness.servers import Server, environment_of, running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from tests.support.fakes import cached_model, constant_document, json_file, settings_for

DEAD = "http://127.0.0.1:9"
CLIENTS = 8


@dataclass
class Caller:
    """Asks again and again over one kept connection, until an answer closes it: the next would go elsewhere."""

    url: str
    answered: int = 0
    closed_by_answer: bool = False
    lost: list[str] = field(default_factory=list)

    def run(self) -> None:
        body = json_file("request.json")
        with httpx.Client(
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1), timeout=PATIENCE_SECONDS
        ) as client:
            while not self.closed_by_answer and not self.lost:
                try:
                    answer = client.post(f"{self.url}/predict", json=body)
                except httpx.TransportError as error:
                    self.lost.append(repr(error))
                    continue
                self.answered += answer.status_code == 200
                self.closed_by_answer = answer.headers.get("connection") == "close"


def callers_of(server: Server) -> list[Caller]:
    return [Caller(server.url) for _ in range(CLIENTS)]


def test_kept_connections_lose_nothing_while_it_drains(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tracking_uri=DEAD)
    cached_model(settings, constant_document(0.3))
    environment = environment_of(settings) | {"SERVING__DRAIN_SECONDS": "1.5"}
    with running_server(environment, tmp_path / "log") as server:
        server.wait_ready()
        callers = callers_of(server)
        threads = [threading.Thread(target=caller.run) for caller in callers]
        for thread in threads:
            thread.start()
        wait_until(lambda: [caller.answered for caller in callers], all)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=PATIENCE_SECONDS) == 0
        for thread in threads:
            thread.join(timeout=PATIENCE_SECONDS)
    assert [caller.lost for caller in callers] == [[] for _ in callers]
    assert all(caller.closed_by_answer for caller in callers)


def test_a_second_sigterm_ends_the_draining(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tracking_uri=DEAD)
    cached_model(settings, constant_document(0.3))
    environment = environment_of(settings) | {"SERVING__DRAIN_SECONDS": "60"}
    with running_server(environment, tmp_path / "log") as server:
        server.wait_ready()
        server.process.send_signal(signal.SIGTERM)
        assert httpx.get(f"{server.url}/livez", timeout=PATIENCE_SECONDS).headers["connection"] == "close"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=PATIENCE_SECONDS) == 0


def test_a_draining_server_answers_and_is_not_ready(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, tracking_uri=DEAD)
    cached_model(settings, constant_document(0.3))
    environment = environment_of(settings) | {"SERVING__DRAIN_SECONDS": "60"}
    with running_server(environment, tmp_path / "log") as server:
        server.wait_ready()
        server.process.send_signal(signal.SIGTERM)
        told = wait_until(
            lambda: httpx.get(f"{server.url}/readyz", timeout=PATIENCE_SECONDS),
            lambda it: it.status_code != 200,
            PATIENCE_SECONDS,
        ).json()
        assert (told["status"], told["detail"]) == (503, "this server is stopping; another one answers")
        assert (
            httpx.post(f"{server.url}/predict", json=json_file("request.json"), timeout=PATIENCE_SECONDS).status_code
            == 200
        )


def test_a_turn_of_the_loop_lets_in_many_who_come_new() -> None:
    newcomers = 4 * ACCEPTED_A_TURN

    async def count_turns() -> int:
        config = uvicorn.Config(nobody, port=0, http=FastPathProtocol, lifespan="off", log_config=None)
        config.load()
        server = DrainingServer(config, 0.0)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        port = server.servers[0].sockets[0].getsockname()[1]
        with ExitStack() as open_:
            # The kernel has let them in; the loop has not turned since.
            for _ in range(newcomers):
                open_.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            turns = 0
            while len(server.server_state.connections) < newcomers:
                await asyncio.sleep(0)
                turns += 1
            await server.shutdown()
        return turns

    # One by one it would take as many turns as newcomers.
    assert uvloop.run(count_turns()) <= newcomers / 4


async def nobody(_: Any, __: Any, ___: Any) -> None:
    """Is not asked."""
