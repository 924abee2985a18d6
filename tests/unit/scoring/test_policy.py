"""The threshold's meaning."""

import pytest

from app.scoring.policy import decide


@pytest.mark.parametrize(
    ("probability", "decision"), [(0.0, "ACCEPT"), (0.0499999, "ACCEPT"), (0.05, "REJECT"), (1.0, "REJECT")]
)
def test_rejects_from_the_threshold_on(probability: float, decision: str) -> None:
    assert decide(probability, 0.05) == decision
