"""The policy: from a probability of default to ACCEPT or REJECT."""

from typing import Literal

Verdict = Literal["ACCEPT", "REJECT"]


def decide(probability: float, threshold: float) -> Verdict:
    """REJECT when the probability of default reaches the threshold, itself included."""
    return "REJECT" if probability >= threshold else "ACCEPT"
