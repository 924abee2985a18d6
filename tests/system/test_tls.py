"""HTTPS from a real server: the same answers, refusals too, and a certificate that is renewed without a restart."""

import os
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from app.errors import SettingInvalid
from app.serving.http.certificate import certificate_of
from app.settings import ServingSettings
from harness.servers import Server, log_lines
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.credit import PROGRAM
from tests.support.certificates import Authority
from tests.support.fakes import json_file
from tests.system.conftest import Store

AUTHORITY = Authority()


@pytest.fixture
def context() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=AUTHORITY.certificate())


@pytest.fixture
def server(store: Store, serve: Callable[..., Server], tmp_path: Path) -> Server:
    certificate, key = AUTHORITY.write(tmp_path)
    return serve(store, SERVING__TLS_CERTIFICATE_FILE=str(certificate), SERVING__TLS_KEY_FILE=str(key))


@pytest.fixture
def client(server: Server, context: ssl.SSLContext) -> Iterator[httpx.Client]:
    assert server.url.startswith("https://")
    with httpx.Client(base_url=server.url, verify=context, timeout=PATIENCE_SECONDS) as found:
        wait_until(lambda: found.get("/readyz"), lambda it: it.status_code == 200)
        yield found


def serial_number(server: Server, context: ssl.SSLContext) -> str:
    """Of the certificate that a new connection is shown."""
    with httpx.Client(verify=context) as client, client.stream("GET", f"{server.url}/livez") as answer:
        shown: dict[str, Any] = answer.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
        return str(shown["serialNumber"])


def test_answers_are_what_they_are_without_tls(
    client: httpx.Client, store: Store, serve: Callable[..., Server]
) -> None:
    plain = serve(store)
    plain.wait_ready()
    for path, body in (("/predict", json_file("request.json")), ("/predict/batch", {"data": {"rows": []}})):
        over_tls, without = client.post(path, json=body), httpx.post(f"{plain.url}{path}", json=body)
        assert over_tls.status_code == without.status_code
        assert over_tls.json().get("probability") == without.json().get("probability")
    # Refused before it is read, on a connection that cannot be half closed.
    large = client.post("/predict", content=b" " * 5_000_000, headers={"Content-Type": "application/json"})
    assert large.status_code == 413
    assert client.post("/predict", json=json_file("request.json")).status_code == 200


def test_a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on(
    client: httpx.Client, server: Server, context: ssl.SSLContext, tmp_path: Path
) -> None:
    before = serial_number(server, context)
    AUTHORITY.write(tmp_path)
    wait_until(lambda: serial_number(server, context), lambda it: it != before)
    assert client.get("/livez").status_code == 200
    renewed = serial_number(server, context)
    (tmp_path / "tls.key").write_text(AUTHORITY.issue()[1])
    wait_until(lambda: _told(server), lambda it: it == 1)
    assert serial_number(server, context) == renewed
    AUTHORITY.write(tmp_path)
    wait_until(lambda: serial_number(server, context), lambda it: it != renewed)
    assert _told(server) == 1


def _told(server: Server) -> int:
    message = "the new certificate cannot be used; the one before it stays"
    return sum(line["message"] == message for line in log_lines(server.log))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SERVING__TLS_KEY_FILE": "tls.key"}, "go together; set both or neither"),
        (
            {"SERVING__TLS_KEY_FILE": "nowhere", "SERVING__TLS_CERTIFICATE_FILE": "nowhere"},
            "are no certificate with its key: nowhere: No such file or directory",
        ),
    ],
)
def test_what_is_no_certificate_is_refused_with_the_settings_named(variables: dict[str, str], said: str) -> None:
    command = [PROGRAM, "serve", "--port", "0"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "serving.tls_certificate_file" in done.stderr


def test_a_key_under_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    certificate, key = AUTHORITY.write(tmp_path)
    private = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(SettingInvalid, match="are no certificate with its key"):
        certificate_of(ServingSettings(tls_certificate_file=certificate, tls_key_file=key))
