"""`python -m app.serving`: one process, which ends with 0 when it is asked to stop."""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import uvicorn
from uvicorn.supervisors import ChangeReload

from app.callers.file import load_callers
from app.errors import SettingInvalid
from app.policy_file import load_policy
from app.serving.http.logs import logging_config
from app.serving.http.protocol import FastPathProtocol
from app.serving.http.server import DrainingServer
from app.settings import load_settings

GRACE_SECONDS = 25
"""For requests under way at a stop; below the 30 s after which Kubernetes kills."""

# Longer than load balancers keep an idle connection, so that none sends into a connection being closed.
KEEP_ALIVE_SECONDS = 75


def port(text: str) -> int:
    """A TCP port; 0 takes a free one."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not between 0 and 65535")
    return number


def stop(_: int, __: FrameType | None) -> None:
    """The server finishes what it has, then raises the signal again: being asked to stop is no failure."""
    raise SystemExit(0)


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code."""
    signal.signal(signal.SIGTERM, stop)
    parser = argparse.ArgumentParser(prog="python -m app.serving", description="Serve credit-default decisions.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port, default=8000, help="default: %(default)s; 0 takes a free one")
    parser.add_argument("--reload", action="store_true", help="start again when the code changes, for development")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings()
        load_policy(settings)
        load_callers(settings)
    except SettingInvalid as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    config = uvicorn.Config(
        "app.serving.application:app",
        host=options.host,
        port=options.port,
        reload=options.reload,
        loop="uvloop",
        http=FastPathProtocol,
        ws="none",
        lifespan="on",
        log_config=logging_config(settings.serving.log_level),
        access_log=False,
        server_header=False,
        # Nothing here asks who the client is.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # Nobody waits for a developer's requests to end.
    server = DrainingServer(config, 0.0 if options.reload else settings.serving.drain_seconds)
    if options.reload:
        ChangeReload(config, target=server.run, sockets=[config.bind_socket()]).run()
    else:
        server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
