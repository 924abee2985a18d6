"""The server's certificate for TLS, read anew when whoever issues it has renewed it."""

import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import SettingInvalid
from app.settings import ServingSettings

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Certificate:
    """Two files in PEM, of the certificate with what stands between it and its authority, and of its key.

    Kubernetes changes mounted files by moving a link, so it is the content that tells whether they are new.
    """

    certificate: Path
    key: Path
    _taken: bytes = field(init=False, default=b"", repr=False)
    _told: str = field(init=False, default="")

    def load(self) -> None:
        """Raises SettingInvalid when the two cannot be used."""
        try:
            self._taken = self._checked()
        except (OSError, ssl.SSLError) as error:
            raise SettingInvalid(
                f"serving.tls_certificate_file and serving.tls_key_file are no certificate with its key: {_why(error)}"
            ) from error

    def renew(self, context: ssl.SSLContext) -> None:
        """Let new connections have what the files hold now; those that are open keep what they began with.

        Files that cannot be used are told of once, and tried again.
        """
        try:
            if self._content() == self._taken:
                return
            # In a context of its own first: in one that is used, half a change would stay.
            found = self._checked()
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            if (why := _why(error)) != self._told:
                self._told = why
                log.error("the new certificate cannot be used; the one before it stays", extra={"reason": why})
            return
        self._taken, self._told = found, ""
        log.info("certificate renewed")

    def _content(self) -> bytes:
        return self.certificate.read_bytes() + self.key.read_bytes()

    def _checked(self) -> bytes:
        found = self._content()
        # Without a password OpenSSL would ask the terminal for that of a key that has one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, password="")
        return found


def certificate_of(serving: ServingSettings) -> Certificate | None:
    """None where the server speaks plain HTTP. Raises SettingInvalid."""
    if serving.tls_certificate_file is None and serving.tls_key_file is None:
        return None
    if serving.tls_certificate_file is None or serving.tls_key_file is None:
        raise SettingInvalid("serving.tls_certificate_file and serving.tls_key_file go together; set both or neither")
    found = Certificate(serving.tls_certificate_file, serving.tls_key_file)
    found.load()
    return found


def _why(error: OSError | ssl.SSLError) -> str:
    # An SSLError is an OSError whose file name is none.
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
