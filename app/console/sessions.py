"""Who is signed in: a cookie names a session, and a session the API client whose key opened it."""

import secrets
from dataclasses import dataclass, field
from time import monotonic

from starlette.responses import Response

from app.callers.known import Callers

COOKIE = "credit_console"
HOURS = 8
MOST = 1_000
"""Sessions at once; the oldest ends when another begins."""


@dataclass(frozen=True, slots=True)
class _Session:
    name: str
    ends: float


@dataclass(slots=True)
class Sessions:
    """Of one process; a restart ends them. callers: None where nobody has to sign in, and `user` is who asks."""

    callers: Callers | None
    user: str
    _open: dict[str, _Session] = field(default_factory=dict)

    def who(self, cookie: str | None) -> str | None:
        """The name of who asks; None for somebody who has to sign in first."""
        if self.callers is None:
            return self.user
        session = self._open.get(cookie or "")
        return session.name if session is not None and session.ends > monotonic() else None

    def sign_in(self, key: str) -> str | None:
        """A new session's cookie; None for a key that is not known or may not read."""
        caller = None if self.callers is None else self.callers.find(key.encode())
        if caller is None or "read" not in caller.scopes:
            return None
        while len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        cookie = secrets.token_urlsafe(32)
        self._open[cookie] = _Session(caller.name, monotonic() + HOURS * 3600)
        return cookie

    def sign_out(self, cookie: str | None) -> None:
        self._open.pop(cookie or "", None)


def keep(response: Response, cookie: str, secure: bool) -> None:
    """Give the browser a session's cookie, which no script reads and no other site sends."""
    response.set_cookie(COOKIE, cookie, max_age=HOURS * 3600, httponly=True, samesite="strict", secure=secure)
