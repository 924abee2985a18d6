"""Which rows are held out, and which fold a row is in: decided by what the row says, not by where it stands.

A row's side depends on nothing but its own ten values. So equal applicants are always on the same side, and a
row once held out stays held out whatever is added to the file later: only then can a new model and the one in
production be compared on rows that neither has seen.
"""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from app.errors import DataInvalid
from app.training.data import Dataset, Flags, Floats, Integers, canonical_bytes

Hashes = npt.NDArray[np.uint64]


def content_hashes(features: Floats) -> Hashes:
    """Two independent 64-bit numbers a row; the same on every machine and with every version of every library."""
    content = canonical_bytes(features)
    width = 8 * features.shape[1]
    rows = (content[start : start + width] for start in range(0, len(content), width))
    digests = b"".join(blake2b(row, digest_size=16).digest() for row in rows)
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 2).astype(np.uint64)


def held_out(features: Floats, share: float) -> Flags:
    """True for the rows that no training sees, about that share of them. Fewer with a smaller share, never others."""
    return content_hashes(features)[:, 0] / 2.0**64 < share


def folds(features: Floats, count: int) -> Integers:
    """The fold of each row, 0 to count - 1; independent of being held out."""
    return (content_hashes(features)[:, 1] % np.uint64(count)).astype(np.int64)


def split(dataset: Dataset, share: float) -> tuple[Dataset, Dataset]:
    """Training rows and held-out rows. Raises DataInvalid when either part lacks an outcome."""
    out = held_out(dataset.features, share)
    training, rest = dataset.take(~out), dataset.take(out)
    require_both_outcomes(training, "training")
    require_both_outcomes(rest, "held-out")
    return training, rest


def require_both_outcomes(part: Dataset, name: str) -> None:
    """Raises DataInvalid when no model could be fitted to, or judged on, that part."""
    defaults = int(part.outcome.sum())
    if not 0 < defaults < len(part):
        raise DataInvalid(
            f"{part.name}: the {name} part has {defaults} defaults in {len(part)} rows; both outcomes are needed, "
            "so more rows are"
        )
