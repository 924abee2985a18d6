"""What verifying the record finds wrong: all of it counted, the first of it named."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """A link that is not what was written, or a place of a chain where one is missing."""

    key: str
    writer: str
    sequence: int
    what: str

    def __str__(self) -> str:
        return f"record {self.key or '(none)'}, writer {self.writer}, sequence {self.sequence}: {self.what}"


@dataclass(slots=True)
class Findings:
    """Those of one run."""

    bad: int = 0
    first: list[Finding] = field(default_factory=list)

    def add(self, found: Iterable[Finding]) -> None:
        for each in found:
            self.bad += 1
            if len(self.first) < MOST_SHOWN:
                self.first.append(each)
