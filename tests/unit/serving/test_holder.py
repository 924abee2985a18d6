import logging

import pytest

from app.errors import ModelError, ModelRefused, ModelUnavailable
from app.metrics import Metrics
from app.policy_file import load_policy
from app.serving.holder import Holder, Reload
from app.settings import Settings
from tests.fakes import constant_model


def holder() -> tuple[Holder, Metrics]:
    metrics = Metrics(0.05)
    return Holder(Settings(), load_policy(Settings()), metrics, clock=lambda: 1000.0), metrics


def test_serves_nothing_at_first() -> None:
    held, metrics = holder()
    assert (held.serving, held.last_reload) == (None, None)
    assert metrics.registry.get_sample_value("credit_model_loaded") == 0


def test_a_model_is_taken_with_the_policy_and_the_configured_uri() -> None:
    held, metrics = holder()
    held.take(constant_model(0.3, "7"))
    serving = held.serving
    assert serving is not None
    assert (serving.model.identity.version, serving.policy.threshold, serving.loaded_at) == ("7", 0.05, 1000.0)
    assert serving.uri == "models:/credit-default-model@production"
    assert held.last_reload == Reload("loaded", 1000.0, None)
    assert metrics.registry.get_sample_value("credit_model_loaded") == 1


def test_the_same_model_again_stays_as_it_is() -> None:
    held, _ = holder()
    held.take(constant_model(0.3))
    before = held.serving
    held.take(constant_model(0.3))
    assert held.serving is before


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (ModelUnavailable("no network"), "unavailable", "no network"),
        (ModelRefused("untrusted types"), "refused", "untrusted types"),
        (ModelError("too slow"), "failed", "too slow"),
        (OSError("disk full"), "failed", "unexpected OSError; see the log"),
    ],
)
def test_an_error_keeps_the_model_and_is_told(error: Exception, outcome: str, reason: str) -> None:
    held, metrics = holder()
    held.take(constant_model(0.3))
    before = held.serving
    held.keep(error)
    assert held.serving is before
    assert held.last_reload is not None
    assert (held.last_reload.outcome, held.last_reload.reason) == (outcome, reason)
    assert metrics.registry.get_sample_value("credit_model_reloads_total", {"outcome": outcome}) == 1


def test_the_same_error_again_is_counted_but_not_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    held, metrics = holder()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            held.keep(ModelUnavailable("no network"))
    assert len(caplog.records) == 1
    assert metrics.registry.get_sample_value("credit_model_reloads_total", {"outcome": "unavailable"}) == 3
