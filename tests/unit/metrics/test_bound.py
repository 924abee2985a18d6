"""What is counted without the library's locks is what the library would have counted."""

from hypothesis import given, strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from app.metrics.bound import BoundCounter, BoundHistogram

EDGES = (0.01, 0.05, 0.5)
amounts = st.lists(st.sampled_from(EDGES) | st.floats(0, 1), max_size=20)


def exposed(registry: CollectorRegistry) -> list[str]:
    """Everything but when it was made."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


@given(amounts)
def test_a_bound_counter_counts_as_its_counter(given: list[float]) -> None:
    registries = CollectorRegistry(), CollectorRegistry()
    own, bound = (Counter("seen", "Seen.", ["kind"], registry=it).labels("a") for it in registries)
    counter = BoundCounter(bound)
    for amount in given:
        own.inc(amount)
        counter.inc(amount)
    own.inc()
    counter.inc()
    assert exposed(registries[0]) == exposed(registries[1])


@given(amounts, amounts)
def test_a_bound_histogram_counts_as_its_histogram(given: list[float], together: list[float]) -> None:
    registries = CollectorRegistry(), CollectorRegistry()
    own, bound = (Histogram("took", "Took.", ["kind"], registry=it, buckets=EDGES).labels("a") for it in registries)
    histogram = BoundHistogram(bound)
    for amount in given:
        own.observe(amount)
        histogram.observe(amount)
    for amount in together:
        own.observe(amount)
    histogram.observe_each(together)
    assert exposed(registries[0]) == exposed(registries[1])
