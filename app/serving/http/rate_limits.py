"""Limits of single API keys: how many requests each may make a minute at this server."""

from dataclasses import dataclass, field
from math import ceil
from time import monotonic

from app.callers.known import Caller
from app.serving.http.messages import Headers

WINDOW_SECONDS = 60


@dataclass(slots=True)
class _Window:
    ends: float
    left: int


@dataclass(slots=True)
class RateLimits:
    """Counts what the keys with a limit ask, each in windows of a minute that begin with its first request."""

    _windows: dict[bytes, _Window] = field(default_factory=dict)
    """By the key's digest; no more than there are entries with a limit."""

    def take(self, caller: Caller) -> tuple[bool, Headers]:
        """Whether the request is within the key's limit, and what its client is told of that; nothing without one.

        The fields are those of draft-ietf-httpapi-ratelimit-headers: the quota q of a window of w seconds; r requests
        remaining, and t seconds until there are all of them again.
        """
        most = caller.per_minute
        if most is None:
            return True, []
        now = monotonic()
        window = self._windows.get(caller.digest)
        if window is None or window.ends <= now:
            window = self._windows[caller.digest] = _Window(now + WINDOW_SECONDS, most)
        within = window.left > 0
        window.left = min(window.left, most) - within
        seconds = ceil(window.ends - now)
        told = [
            (b"ratelimit-policy", b'"key";q=%d;w=%d' % (most, WINDOW_SECONDS)),
            (b"ratelimit", b'"key";r=%d;t=%d' % (window.left, seconds)),
        ]
        return within, told if within else [*told, (b"retry-after", b"%d" % seconds)]
