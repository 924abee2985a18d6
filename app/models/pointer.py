"""What the registry says of one version: which it is, what the gate found, and where its document is."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.errors import ModelRefused, ModelUnavailable

GATE = "gate"
"""Tag of a version: passed or refused."""
GATE_REASONS = "gate_reasons"
GATE_DIGEST = "gate_digest"
"""Tag of a version that passed: SHA-256, in hex, of the model's files that did."""
DOCUMENT = "document"
"""Tag of a version: where its document is, as runs:/<run>/<path>."""
DOCUMENT_DIGEST = "document_digest"
"""Tag of a version: SHA-256, in hex, of that file."""
POSITIVE_CLASS = "positive_class"
"""The class that means default."""
REVIEW_DUE = "review_due"
"""Tag of a version: the day, as 2026-01-31, by which somebody has to have looked at it again."""

CREDENTIALS_REFUSED = (
    "the registry refuses these credentials, or wants some: set MLFLOW_TRACKING_USERNAME and"
    " MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
)

PASSED, REFUSED = "passed", "refused"
PENDING, FAILED = "PENDING_REGISTRATION", "FAILED_REGISTRATION"


TAGS = (GATE, GATE_DIGEST, DOCUMENT, DOCUMENT_DIGEST, POSITIVE_CLASS, REVIEW_DUE)
"""In the order of a pointer's fields."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """One version. The run is part of it because a registry that was made anew counts versions from 1."""

    name: str
    version: str
    run_id: str
    status: str = "READY"
    """As MLflow says whether registering it has ended."""
    gate: str = ""
    gate_digest: str = ""
    document: str = ""
    document_digest: str = ""
    positive_class: str = ""
    review_due: str = ""
    """Each of these six is the tag's value, empty where the version has no such tag."""

    @classmethod
    def of(cls, name: str, version: str, run_id: str, status: str, tags: Mapping[str, str]) -> "Pointer":
        """From a version's fields in the registry."""
        return cls(name, version, run_id, status, *(tags.get(tag, "") for tag in TAGS))

    @property
    def uri(self) -> str:
        """Names this one version for good."""
        return f"models:/{self.name}/{self.version}"

    def require_registered(self) -> None:
        """Raises ModelUnavailable while the version is being registered, ModelRefused when that failed."""
        if self.status == PENDING:
            raise ModelUnavailable(f"{self.uri} is still being registered")
        if self.status == FAILED:
            raise ModelRefused(f"{self.uri}: its registration failed; register that model again")

    def require_verdict(self) -> None:
        """Raises ModelRefused with the remedy when the gate has not passed exactly this version's files."""
        if self.gate == REFUSED:
            raise ModelRefused(
                f"{self.uri} was refused by the gate: let the alias name a version that passed"
                " (credit registry list shows which)"
            )
        if self.gate != PASSED or not self.gate_digest:
            raise ModelRefused(
                f"{self.uri} has no verdict of the gate for its files: {self.remedy}"
                " (or set serving.require_verdict to false)"
            )

    def require_files(self, digest: str) -> None:
        """digest: of the files that came. Raises ModelRefused when those are not the ones that passed."""
        if digest != self.gate_digest:
            raise ModelRefused(
                f"{self.uri}: its files ({digest[:12]}) are not those that passed the gate"
                f" ({self.gate_digest[:12]}): {self.remedy}"
            )

    @property
    def remedy(self) -> str:
        """What gives the version a verdict and a document."""
        return f"judge them with credit registry adopt {self.version}"
