from datetime import UTC, datetime

from app.errors import ModelRefused, ModelUnavailable
from app.metrics import Metrics
from app.models.pointer import Pointer
from app.policy_file import load_policy
from app.serving.live.holder import Contact, Holder
from app.serving.live.reloads import Reload
from app.settings import Settings
from tests.support.fakes import constant_model


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


def test_an_error_keeps_the_model_and_is_told() -> None:
    held, metrics = holder()
    held.take(constant_model(0.3))
    before = held.serving
    held.keep(ModelRefused("untrusted types"))
    assert held.serving is before
    assert held.last_reload == Reload("refused", 1000.0, "untrusted types")
    assert metrics.registry.get_sample_value("credit_model_reloads_total", {"outcome": "refused"}) == 1


def test_a_model_is_stale_until_the_registry_confirms_it_and_again_after_an_error() -> None:
    held, metrics = holder()

    def stale() -> tuple[bool, float | None]:
        return held.stale, metrics.registry.get_sample_value("credit_model_stale")

    held.keep(ModelUnavailable("no network"))
    assert stale() == (False, 0)
    held.take(constant_model(0.3))
    assert stale() == (True, 1)
    held.confirm(None)
    assert stale() == (False, 0)
    held.keep(ModelUnavailable("no network"))
    assert stale() == (True, 1)


def test_the_day_of_the_next_review_is_that_of_the_version_in_service() -> None:
    metrics = Metrics(0.05)
    held = Holder(Settings(), load_policy(Settings()), metrics)

    def due(version: str) -> float | None:
        name = "credit_model_review_due_timestamp_seconds"
        return metrics.registry.get_sample_value(name, {"model_version": version})

    held.confirm(Pointer("m", "3", "r", review_due="2026-01-31"))
    assert due("3") == datetime(2026, 2, 1, tzinfo=UTC).timestamp()
    held.confirm(Pointer("m", "4", "r", review_due="soon"))
    assert (due("3"), due("4")) == (None, None)
    held.confirm(Pointer("m", "4", "r", review_due="2027-01-31"))
    held.confirm(None)
    assert due("4") == datetime(2027, 2, 1, tzinfo=UTC).timestamp()


def test_the_registry_is_down_since_it_first_did_not_answer() -> None:
    metrics = Metrics(0.05)
    seconds = iter([1.0, 2.0, 3.0])
    held = Holder(Settings(), load_policy(Settings()), metrics, clock=lambda: next(seconds))
    for up in (True, False, False):
        held.contact(up)
    assert held.registry == Contact(False, 2.0)
    assert metrics.registry.get_sample_value("credit_registry_up") == 0
