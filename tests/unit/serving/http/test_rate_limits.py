"""A key with a limit is told of it in every answer, and refused beyond it until its minute is over."""

from dataclasses import replace

import pytest

from app.callers.known import Callers
from app.serving.http import rate_limits
from app.serving.http.rate_limits import RateLimits
from tests.support.fakes import Api, caller, constant_model, json_file

REQUEST = json_file("request.json")
LIMITED = replace(caller("website", "cdk_website", "predict"), per_minute=3)
CALLERS = Callers((LIMITED, caller("office", "cdk_office", "predict")))
WEBSITE, OFFICE = ({"Authorization": f"Bearer cdk_{name}"} for name in ("website", "office"))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(rate_limits, "monotonic", made)
    return made


def test_a_window_begins_with_its_first_request_and_ends_after_a_minute(clock: Clock) -> None:
    limits = RateLimits()
    told = []
    for _ in range(4):
        within, headers = limits.take(LIMITED)
        told.append((within, dict(headers)[b"ratelimit"]))
        clock.now += 10
    assert told == [
        (True, b'"key";r=2;t=60'),
        (True, b'"key";r=1;t=50'),
        (True, b'"key";r=0;t=40'),
        (False, b'"key";r=0;t=30'),
    ]
    within, headers = limits.take(LIMITED)
    assert (within, dict(headers)[b"retry-after"]) == (False, b"20")
    clock.now += 20
    assert limits.take(LIMITED)[0]


def test_a_limit_that_was_lowered_holds_at_once_and_one_that_is_gone_says_nothing(clock: Clock) -> None:
    limits = RateLimits()
    assert limits.take(LIMITED)[0]
    assert limits.take(replace(LIMITED, per_minute=1)) == (
        True,
        [(b"ratelimit-policy", b'"key";q=1;w=60'), (b"ratelimit", b'"key";r=0;t=60')],
    )
    assert not limits.take(replace(LIMITED, per_minute=1))[0]
    assert limits.take(replace(LIMITED, per_minute=None)) == (True, [])


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/nothing"])
def test_the_fourth_request_of_a_minute_is_refused_on_every_path(clock: Clock, path: str) -> None:
    api = Api(constant_model(0.3), callers=CALLERS)
    body = {"data": {"rows": [REQUEST["data"]["features"]]}} if path.endswith("batch") else REQUEST
    answers = [api.post(path, body, WEBSITE) for _ in range(4)]
    assert [it.headers["RateLimit"] for it in answers] == [f'"key";r={left};t=60' for left in (2, 1, 0, 0)]
    assert {it.headers["RateLimit-Policy"] for it in answers} == {'"key";q=3;w=60'}
    assert [it.status_code == 429 for it in answers] == [False, False, False, True]
    refused = answers[-1]
    assert (refused.json()["type"], refused.headers["Retry-After"]) == ("/problems/over-limit", "60")
    assert "3 times a minute" in refused.json()["detail"]
    assert "X-Request-ID" in refused.headers
    labels = {"caller": "website", "outcome": "over_limit"}
    assert api.metrics.registry.get_sample_value("credit_requests_by_caller_total", labels) == 1
    # Nobody else is held to it.
    for _ in range(5):
        other = api.post("/predict", REQUEST, OFFICE)
        assert (other.status_code, "RateLimit" in other.headers) == (200, False)
    clock.now += 60
    assert api.post(path, body, WEBSITE).status_code != 429


def test_what_needs_no_key_counts_for_nobody(clock: Clock) -> None:
    api = Api(constant_model(0.3), callers=CALLERS)
    for _ in range(5):
        assert "RateLimit" not in api.get("/health", WEBSITE).headers
    assert api.post("/predict", REQUEST, WEBSITE).headers["RateLimit"] == '"key";r=2;t=60'
