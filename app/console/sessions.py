"""Who is signed in: whom a proxy in front names, or a cookie's session, which an API key has opened."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

from starlette.responses import Response

from app.callers.known import Callers

COOKIE = "credit_console"
HOURS = 8
MOST = 1_000
"""Sessions at once; the oldest ends when another begins."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, by the name that the record keeps.

    officer: may write letters and try decisions otherwise. decides: may decide in place of the service.
    """

    name: str
    officer: bool = True
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Proxied:
    """A proxy that signs people in: the header in which it names them, and who of them are officers."""

    header: str
    officers: frozenset[str]

    def who(self, headers: Mapping[str, str]) -> Person | None:
        """None where the header is missing, empty or too long for a name."""
        name = headers.get(self.header, "").strip()
        if not 0 < len(name) <= LONGEST_NAME:
            return None
        officer = name in self.officers
        return Person(name, officer, officer)


@dataclass(frozen=True, slots=True)
class _Session:
    name: str
    decides: bool
    ends: float


@dataclass(slots=True)
class Sessions:
    """Of one process; a restart ends them.

    callers: whose keys sign in; None where nobody has to, and `user` is who asks. proxied: where a proxy names people,
    which leaves keys without use.
    """

    callers: Callers | None
    user: str
    proxied: Proxied | None = None
    _open: dict[str, _Session] = field(default_factory=dict)

    @property
    def by_key(self) -> bool:
        """Whether people sign in here, with a key."""
        return self.proxied is None and self.callers is not None

    def who(self, headers: Mapping[str, str], cookie: str | None) -> Person | None:
        """None for somebody who has to sign in first."""
        if self.proxied is not None:
            return self.proxied.who(headers)
        if self.callers is None:
            return Person(self.user)
        session = self._open.get(cookie or "")
        if session is None or session.ends <= monotonic():
            return None
        return Person(session.name, True, session.decides)

    def sign_in(self, key: str) -> str | None:
        """A new session's cookie; None for a key that is not known or may not read."""
        caller = self.callers.find(key.encode()) if self.by_key and self.callers is not None else None
        if caller is None or "read" not in caller.scopes:
            return None
        while len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        cookie = secrets.token_urlsafe(32)
        self._open[cookie] = _Session(caller.name, "review" in caller.scopes, monotonic() + HOURS * 3600)
        return cookie

    def sign_out(self, cookie: str | None) -> None:
        self._open.pop(cookie or "", None)


def keep(response: Response, cookie: str, secure: bool) -> None:
    """Give the browser a session's cookie, which no script reads and no other site sends."""
    response.set_cookie(COOKIE, cookie, max_age=HOURS * 3600, httponly=True, samesite="strict", secure=secure)
