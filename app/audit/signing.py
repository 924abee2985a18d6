"""The keys of the record: Ed25519 (RFC 8032), with which the service signs what nobody else may have written.

The shipper signs the end of every chain that it brings to the database, and retention what it takes away. Whoever can
only write to the database has no key, and so can add nothing to a chain, begin one, or explain one that is gone.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.errors import RecordError, SettingInvalid
from app.settings import AuditSettings
from app.times import utc

REMEDY = "make one with: openssl genpkey -algorithm ed25519 -out FILE"

NOT_SIGNED = "nobody signed it"
NOT_TRUSTED = "it is signed by a key that is not trusted; audit.trusted_keys names those that are"
NOT_ITS_SIGNATURE = "its signature is not of what it says"


@dataclass(frozen=True, slots=True)
class Signature:
    """Of one statement. key: the public key, value: the signature, both in hex."""

    key: str
    value: str


class Signer:
    """Signs with one private key. public: its public key, 32 bytes in hex."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()

    def sign(self, statement: str) -> Signature:
        return Signature(self.public, self._private.sign(statement.encode()).hex())


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures are believed.

    keys: public keys in hex. signed_since: microseconds since 1970; what is older may lack a signature, because the
    release of that day made none. None: everything has to be signed.
    """

    keys: frozenset[str]
    signed_since: int | None = None

    def problem(self, statement: str, signature: Signature | None, at: int) -> str | None:
        """What is wrong with a statement's signature; None: nothing.

        at: when what it is about came to be, microseconds since 1970.
        """
        if signature is None:
            return None if self.signed_since is not None and at < self.signed_since else NOT_SIGNED
        if signature.key not in self.keys:
            return NOT_TRUSTED
        return None if is_signed(statement, signature) else NOT_ITS_SIGNATURE


def is_signed(statement: str, signature: Signature) -> bool:
    """Whether the signature is that key's, and of that statement."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.key))
        key.verify(bytes.fromhex(signature.value), statement.encode())
    except (ValueError, InvalidSignature):
        return False
    return True


def head_statement(writer: str, sequence: int, digest: str, at: int) -> str:
    """What is signed of a chain: its end. digest: hash of its last link; at: when it was signed."""
    return f"credit head\n{writer}\n{sequence}\n{digest}\n{utc(at)}"


def removal_statement(writer: str, first: int, last: int, digest: str, before: int) -> str:
    """What is signed of links that retention removed. digest: hash of the last; before: they were older than that."""
    return f"credit removal\n{writer}\n{first}\n{last}\n{digest}\n{utc(before)}"


def signer_of(audit: AuditSettings) -> Signer:
    """The service's signer; its key is made where the settings name no file and there is none.

    Raises SettingInvalid for a file that holds no such key, RecordError where it cannot be read or made.
    """
    path = audit.signing_key
    try:
        if audit.signing_key_file is None:
            _make(path)
        return Signer(_read(path))
    except FileNotFoundError as error:
        raise SettingInvalid(f"audit.signing_key_file: there is no file {path}; {REMEDY}") from error
    except OSError as error:
        raise RecordError(f"the key {path}, which signs the record, cannot be used: {error.strerror}") from error


def trust_of(audit: AuditSettings) -> Trust:
    """The keys of the settings, and the service's own where it can be read here. Raises SettingInvalid."""
    keys = set(audit.trusted_keys)
    try:
        keys.add(Signer(_read(audit.signing_key)).public)
    except OSError as error:
        # An auditor has the public key alone.
        if audit.signing_key_file is not None and not keys:
            raise SettingInvalid(
                f"audit.signing_key_file: {audit.signing_key} cannot be read: {error.strerror}; or name the public key"
                " in audit.trusted_keys"
            ) from error
    return Trust(frozenset(keys), audit.signed_since_moment)


def _read(path: Path) -> Ed25519PrivateKey:
    content = path.read_bytes()
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise SettingInvalid(f"audit.signing_key_file: {path} is no private key in PEM; {REMEDY}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingInvalid(f"audit.signing_key_file: {path} holds a key of another kind than Ed25519; {REMEDY}")
    return key


def _make(path: Path) -> None:
    """Make a key where there is none, for its owner's eyes; of several processes that try at once one succeeds."""
    if path.exists():
        return
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        # Unlike a rename, a link does not replace the key of whoever was faster.
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
