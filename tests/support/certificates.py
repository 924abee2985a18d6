"""A certificate authority of the tests' own."""

from dataclasses import dataclass, field
from pathlib import Path

from trustme import CA


@dataclass(frozen=True)
class Authority:
    """Issues certificates, each with a key of its own."""

    ca: CA = field(default_factory=CA)

    def certificate(self) -> str:
        """Its own, in PEM."""
        return self.ca.cert_pem.bytes().decode()

    def issue(self, *hosts: str) -> tuple[str, str]:
        """Certificate and key, in PEM, of hosts and of this machine."""
        issued = self.ca.issue_cert(*hosts, "localhost", "127.0.0.1")
        (certificate,) = issued.cert_chain_pems
        return certificate.bytes().decode(), issued.private_key_pem.bytes().decode()

    def write(self, folder: Path, *hosts: str) -> tuple[Path, Path]:
        """The same as tls.crt and tls.key of a folder."""
        files = folder / "tls.crt", folder / "tls.key"
        for file, text in zip(files, self.issue(*hosts), strict=True):
            file.write_text(text)
        return files
