"""`python -m loadtests.stress.strangers`: what clients that drip bodies or do not read cost those who behave.

Each attack is measured against the server alone and, where nginx is installed, behind it with its own defaults: the
share of decisions that are answered with 200 within 5 s, p50 and p99 of those, and the most memory that the server
held.
"""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from app.terminal import table
from harness.servers import free_port
from harness.waiting import wait_until
from loadtests.payloads import JSON, documented
from loadtests.stress.__main__ import trained
from loadtests.stress.world import World

SECONDS = 25.0
DRIPPING, BODY_BYTES, PIECE_BYTES = 100, 4 * 1024 * 1024, 64 * 1024
DEAF = 500
ASSET = "/docs/swagger-ui-bundle.js"
PATIENCE = 5.0
"""Seconds that somebody who waits for a decision gives it."""
PAUSE = 0.02

NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_max_body_size 4m;
  upstream credit {{ server 127.0.0.1:{upstream}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://credit; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


@dataclass(slots=True)
class Answered:
    """Of those who behave."""

    good: list[float] = field(default_factory=list)
    """Seconds each."""
    bad: int = 0
    most_memory: int = 0
    """Bytes, of the server."""


def dripping(port: int, stop: threading.Event) -> None:
    """Bodies of 4 MiB, a piece a second, from many connections; each begins anew when it is cut off."""
    head = f"POST /predict/batch HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nContent-Length: {BODY_BYTES}\r\n\r\n"
    connections: list[socket.socket | None] = [None] * DRIPPING
    while not stop.is_set():
        for at, connection in enumerate(connections):
            try:
                if connection is None:
                    connection = connections[at] = socket.create_connection(("127.0.0.1", port), timeout=1)
                    connection.sendall(head.encode())
                    connection.setblocking(False)
                connection.send(b" " * PIECE_BYTES)
            except BlockingIOError:
                continue  # nobody reads it just now
            except OSError:
                if connection is not None:
                    connection.close()
                connections[at] = None
        stop.wait(1)
    for connection in connections:
        if connection is not None:
            connection.close()


def deaf(port: int, stop: threading.Event) -> None:
    """Many connections that ask for the largest file and do not read it."""
    asked = f"GET {ASSET} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    connections: list[socket.socket] = []
    while not stop.is_set():
        try:
            while len(connections) < DEAF:
                connection = socket.socket()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.settimeout(1)
                connection.connect(("127.0.0.1", port))
                connection.sendall(asked)
                connections.append(connection)
        except OSError:
            pass  # refused for now: those that are open go on not reading
        stop.wait(0.5)
    for connection in connections:
        connection.close()


def nobody(_: int, stop: threading.Event) -> None:
    """For comparison."""
    stop.wait()


def behaving(port: int, ends: float, found: Answered) -> None:
    """One client that asks for decisions, each on a connection of its own, as many systems do."""
    body = documented()[0].body
    while time.monotonic() < ends:
        connection, started = HTTPConnection("127.0.0.1", port, timeout=PATIENCE), time.perf_counter()
        try:
            connection.request("POST", "/predict", body, {"Content-Type": JSON})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                found.good.append(time.perf_counter() - started)
            else:
                found.bad += 1
        except (OSError, HTTPException):
            found.bad += 1
        finally:
            connection.close()
        time.sleep(PAUSE)


def resident(process: int) -> int:
    """Bytes that a process holds, without those that it started, such as the shipper."""
    told = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return 1024 * int(told[1]) if told else 0


@contextmanager
def proxied(upstream: int, folder: Path) -> Iterator[int]:
    """nginx in front of that port; gives its own."""
    port = free_port()
    folder.mkdir()
    # Its workers are another user.
    folder.chmod(0o777)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
    command = ["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: socket.create_connection(("127.0.0.1", port)).close(), lambda _: True, what="nginx")
            yield port
        finally:
            process.terminate()


def measured(port: int, process: int, attack: Callable[[int, threading.Event], None]) -> Answered:
    """What becomes of the others while the attack goes on."""
    found, stop, ends = Answered(), threading.Event(), time.monotonic() + SECONDS
    threads = [threading.Thread(target=attack, args=(port, stop))]
    threads += [threading.Thread(target=behaving, args=(port, ends, found)) for _ in range(2)]
    for thread in threads:
        thread.start()
    while time.monotonic() < ends:
        found.most_memory = max(found.most_memory, resident(process))
        time.sleep(0.2)
    stop.set()
    for thread in threads:
        thread.join()
    return found


def main() -> None:
    rows = [["attack", "in front", "asked", "answered", "p50 ms", "p99 ms", "MiB"]]
    with tempfile.TemporaryDirectory(prefix="strangers") as place:
        folder = Path(place)
        folder.chmod(0o755)
        environment = trained(folder)
        for attack in (nobody, dripping, deaf):
            for front in ("nothing", "nginx") if shutil.which("nginx") else ("nothing",):
                name = f"{attack.__name__}-{front}"
                world = World(folder / name, environment, f"sqlite:///{folder / name / 'decisions.db'}")
                with world.server() as server, ExitStack() as stack:
                    port = server.port
                    if front == "nginx":
                        port = stack.enter_context(proxied(port, folder / name / "nginx"))
                    found = measured(port, server.process.pid, attack)
                good, asked = sorted(found.good) or [float("nan")], len(found.good) + found.bad
                times = [f"{1000 * good[int(share * (len(good) - 1))]:.1f}" for share in (0.5, 0.99)]
                share = f"{len(found.good) / asked:.1%}"
                rows.append([attack.__name__, front, f"{asked:,}", share, *times, f"{found.most_memory / 2**20:.0f}"])
                sys.stdout.write(f"{table([rows[0], rows[-1]], figures=True)}\n")
    sys.stdout.write(f"\n{table(rows, figures=True)}\n")


if __name__ == "__main__":
    main()
