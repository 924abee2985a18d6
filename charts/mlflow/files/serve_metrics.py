"""Answers Prometheus with what the server's processes have counted, on a port where nothing else can be asked for."""

import os
import signal
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector


def main() -> None:
    counted = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    counted.mkdir(exist_ok=True)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    certificate = {name: os.environ[name.upper()] for name in ("certfile", "keyfile") if name.upper() in os.environ}
    server, thread = start_http_server(int(os.environ["PORT"]), os.environ["ADDRESS"], registry, **certificate)
    # The first process of a container has no way to be stopped but its own.
    signal.signal(signal.SIGTERM, lambda *_: server.shutdown())
    thread.join()


if __name__ == "__main__":
    main()
