"""A certificate authority of the tests' own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Authority:
    """Issues certificates for a day."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def name(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the tests")])

    def certificate(self) -> str:
        """Its own, in PEM."""
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = _builder(self.name, self.name, self.key.public_key())
        builder = builder.add_extension(constraints, critical=True).add_extension(usage, critical=True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def issue(self, *hosts: str) -> tuple[str, str]:
        """Certificate and key, in PEM, of hosts and of 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (*hosts, "localhost")[0])])
        names = [x509.DNSName(host) for host in (*hosts, "localhost")]
        alternatives = x509.SubjectAlternativeName([*names, x509.IPAddress(IPv4Address("127.0.0.1"))])
        builder = _builder(subject, self.name, key.public_key()).add_extension(alternatives, critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
        )
        made = builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
        return made, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def write(self, folder: Path, *hosts: str) -> tuple[Path, Path]:
        """The same as tls.crt and tls.key of a folder."""
        files = folder / "tls.crt", folder / "tls.key"
        for file, text in zip(files, self.issue(*hosts), strict=True):
            file.write_text(text)
        return files


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(identifier, critical=False)
    )
