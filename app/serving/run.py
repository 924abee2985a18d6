"""The server's own process, from its settings to its end: 0 when it was asked to stop."""

import logging
import signal
import socket
from types import FrameType

import uvicorn
from uvicorn.supervisors import ChangeReload

from app.callers.file import load_callers
from app.errors import SettingInvalid
from app.exits import DONE
from app.models.cache import ModelCache
from app.policy_file import load_policy
from app.serving.http.certificate import certificate_of
from app.serving.http.logs import logging_config
from app.serving.http.protocol import FastPathProtocol
from app.serving.http.server import DrainingServer
from app.settings import ROOT, Settings, load_settings

GRACE_SECONDS = 25
"""For requests under way at a stop; below the 30 s after which Kubernetes kills."""

# Longer than load balancers keep an idle connection, so that none sends into a connection being closed.
KEEP_ALIVE_SECONDS = 75

log = logging.getLogger(__name__)


def serve(host: str, port: str, reload: str = "") -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code. Called in a process of its own: see app.processes.

    port: 0 takes a free one. reload: start again when the code changes, unless empty.
    Raises SettingInvalid, also for an address that cannot be listened on or a certificate that cannot be used.
    """
    signal.signal(signal.SIGTERM, stop)
    settings = load_settings()
    load_policy(settings)
    load_callers(settings)
    certificate = certificate_of(settings.serving)
    require_free(host, int(port))
    config = uvicorn.Config(
        "app.serving.application:app",
        host=host,
        port=int(port),
        reload=bool(reload),
        reload_dirs=[str(ROOT / "app")] if reload else None,
        loop="uvloop",
        http=FastPathProtocol,
        ws="none",
        lifespan="on",
        log_config=logging_config(settings.serving.log_level),
        access_log=False,
        server_header=False,
        # Nothing here asks who the client is.
        proxy_headers=False,
        ssl_certfile=settings.serving.tls_certificate_file,
        ssl_keyfile=settings.serving.tls_key_file,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    say_without_a_model(settings)
    # Nobody waits for a developer's requests to end.
    server = DrainingServer(config, 0.0 if reload else settings.serving.drain_seconds, certificate)
    if reload:
        ChangeReload(config, target=server.run, sockets=[config.bind_socket()]).run()
    else:
        server.run()
    return DONE


def stop(_: int, __: FrameType | None) -> None:
    """The server finishes what it has, then raises the signal again: being asked to stop is no failure."""
    raise SystemExit(DONE)


def require_free(host: str, port: int) -> None:
    """Raises SettingInvalid, with what to do, when the server could not listen there.

    The server finds out for itself, but only after all of its start, and below the lines about that.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise SettingInvalid(
            f"cannot listen on port {port} of {host}: {error.strerror or error}; choose another --port or --host, "
            "or end what listens there"
        ) from error


def say_without_a_model(settings: Settings) -> None:
    """The first line of a server that has to wait for its model, which on an empty registry nobody else would explain.

    Its log takes this line as any other: as JSON.
    """
    uri = settings.mlflow.model_uri
    if ModelCache(settings.serving.cache_dir).recall(uri) is None:
        log.info(
            "no model in the cache: ready once the registry gives one; credit train makes the first",
            extra={"source": uri},
        )
