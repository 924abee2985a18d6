import logging

import pytest

from app.errors import ModelError, ModelMissing, ModelRefused, ModelUnavailable
from app.metrics import Metrics
from app.serving.live.reloads import Reload, Reloads

URI = "models:/credit-default-model@production"


def reloads() -> tuple[Reloads, Metrics]:
    metrics = Metrics(0.05)
    return Reloads("model", URI, metrics.model_reloads, clock=lambda: 1000.0), metrics


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (ModelUnavailable("no network"), "unavailable", "no network"),
        (ModelMissing("no such alias"), "unavailable", "no such alias"),
        (ModelRefused("untrusted types"), "refused", "untrusted types"),
        (ModelError("too slow"), "failed", "too slow"),
        (OSError("disk full"), "failed", "unexpected OSError; see the log"),
    ],
)
def test_an_error_is_told_and_counted_by_its_kind(error: Exception, outcome: str, reason: str) -> None:
    attempts, metrics = reloads()
    attempts.failed(error)
    assert attempts.last is not None
    assert (attempts.last.outcome, attempts.last.at, attempts.last.reason) == (outcome, 1000.0, reason)
    assert metrics.registry.get_sample_value("credit_model_reloads_total", {"outcome": outcome}) == 1


def test_a_success_is_kept_and_counted() -> None:
    attempts, metrics = reloads()
    attempts.loaded()
    assert attempts.last == Reload("loaded", 1000.0, None)
    assert metrics.registry.get_sample_value("credit_model_reloads_total", {"outcome": "loaded"}) == 1


def test_the_same_error_again_is_counted_but_not_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    attempts, metrics = reloads()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            attempts.failed(ModelUnavailable("no network"))
    assert len(caplog.records) == 1
    assert metrics.registry.get_sample_value("credit_model_reloads_total", {"outcome": "unavailable"}) == 3
