"""What the load consists of: made-up applicants, the documented requests, and bodies that must be refused."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from harness.fields import FEATURES

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
JSON = "application/json"
BATCH_ROWS = (2, 50)
"""Fewest and most rows of a batch."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One request and the status that answers it rightly."""

    path: str
    body: str
    status: int = 200
    content_type: str | None = JSON


def applicant(random: Random) -> dict[str, float | None]:
    """An applicant by name: most like those of the public file, now and then with an unknown income or family."""
    income = None if random.random() < 0.2 else round(random.lognormvariate(8.6, 0.6))
    family = None if random.random() < 0.03 else min(int(random.expovariate(1.0)), 10)
    # Where the income is unknown the file holds the debt itself in its ratio's place.
    debt = round(random.lognormvariate(7.0, 0.9)) if income is None else round(random.lognormvariate(-1.2, 0.8), 4)
    late = [min(int(random.expovariate(rate)), 12) for rate in (3.0, 6.0, 6.0)]
    values = (
        round(random.betavariate(0.6, 1.4), 4),
        random.randint(21, 95),
        late[0],
        debt,
        income,
        random.randint(0, 25),
        late[1],
        random.randint(0, 4),
        late[2],
        family,
    )
    return dict(zip(FEATURES, values, strict=True))


def row(random: Random) -> list[float | None]:
    """The same as a wire vector, the row number first."""
    return [random.randint(1, 150_000), *applicant(random).values()]


def single(random: Random) -> Payload:
    """One applicant, by name or as a vector."""
    data = {"applicant": applicant(random)} if random.random() < 0.5 else {"features": row(random)}
    return Payload("/predict", json.dumps({"data": data}))


def batch(random: Random) -> Payload:
    """Some applicants at once."""
    rows = [row(random) for _ in range(random.randint(*BATCH_ROWS))]
    return Payload("/predict/batch", json.dumps({"data": {"rows": rows}}))


def documented() -> Sequence[Payload]:
    """The requests that the documents show."""
    return [Payload("/predict", (DATA / name).read_text()) for name in ("request.json", "applicant.json")]


def bad() -> Sequence[Payload]:
    """Requests that callers get wrong, each with its refusal."""
    listed = json.loads((DATA / "bad_requests.json").read_text())
    payloads = [Payload(bad["path"], bad["body"], bad["status"], bad["content_type"]) for bad in listed]
    # Those refused for their size or their bytes are written down otherwise than they are sent.
    return [payload for payload in payloads if payload.status in (415, 422) and payload.body.isascii()]
