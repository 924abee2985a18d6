"""Lets in whoever has an API key for what is asked, where keys are wanted; decides by the headers alone."""

from prometheus_client import Counter

from app.callers.known import Callers, Scope
from app.serving.http.messages import Answered, Headers
from app.serving.http.problems import NO_DECISION, problem
from app.serving.http.rate_limits import RateLimits

NO_KEY = "this path needs an API key, as in Authorization: Bearer KEY"
UNKNOWN_KEY = "this API key is not known; ask the operator for one"
OUT_OF_SCOPE = "this API key is not for that: it lacks the scope {}"
OVER_LIMIT = "this API key may ask {} times a minute at this server; ask again when Retry-After is over"
CHALLENGE = [(b"www-authenticate", b"Bearer")]


def admit(
    callers: Callers, limits: RateLimits, needed: Scope, hidden: bool, headers: Headers, counter: Counter
) -> tuple[str | None, Answered | None, Headers]:
    """The caller's name, as far as it is known, the refusal, None for whoever is let in, and what is told of a limit.

    needed: the scope that the path needs. hidden: whether whoever lacks it is not told either what there is. counter:
    labelled by caller and outcome.
    """
    key = key_of(headers)
    if key is None:
        counter.labels("", "no_key").inc()
        return None, problem(401, NO_KEY, CHALLENGE), []
    caller = callers.find(key)
    if caller is None:
        counter.labels("", "unknown_key").inc()
        return None, problem(401, UNKNOWN_KEY, CHALLENGE), []
    if needed not in caller.scopes:
        counter.labels(caller.name, "out_of_scope").inc()
        return caller.name, problem(404, NO_DECISION) if hidden else problem(403, OUT_OF_SCOPE.format(needed)), []
    within, told = limits.take(caller)
    if not within:
        counter.labels(caller.name, "over_limit").inc()
        return caller.name, problem(429, OVER_LIMIT.format(caller.per_minute), told), []
    counter.labels(caller.name, "let_in").inc()
    return caller.name, None, told


def key_of(headers: Headers) -> bytes | None:
    """The key of the one Authorization header; None without one, and where two leave open which counts."""
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) != 1:
        return None
    scheme, _, key = given[0].partition(b" ")
    return key.strip(b" ") or None if scheme.lower() == b"bearer" else None
