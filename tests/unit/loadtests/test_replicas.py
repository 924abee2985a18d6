"""What is made of locust's figures."""

import math

from loadtests.replicas import percentile


def test_a_percentile_counts_what_was_seen_of_each_time() -> None:
    seen = {"2.0": 50, "10.0": 1, "3.0": 48, "100.0": 1}
    assert [percentile(seen, share) for share in (0.5, 0.51, 0.98, 0.99, 1.0)] == [2.0, 3.0, 3.0, 10.0, 100.0]


def test_of_nothing_there_is_none() -> None:
    assert math.isnan(percentile({}, 0.5))
