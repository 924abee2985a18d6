"""Who is signed in: whom a proxy in front names, or a cookie's session, which a key or an OpenID provider opened."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

from starlette.responses import Response

from app.callers.known import Callers

COOKIE = "credit_console"
HOURS = 8
MOST = 1_000
"""Sessions at once; the oldest ends when another begins."""
LONGEST_NAME = 200
GROUP = "group:"


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, by the name that the record keeps.

    officer: may write letters and try decisions otherwise. decides: may decide in place of the service. approves: may
    put a model into production.
    """

    name: str
    officer: bool = True
    decides: bool = True
    approves: bool = True


@dataclass(frozen=True, slots=True)
class Roles:
    """Who of the people that somebody else signs in is what: names, or group:NAME."""

    officers: frozenset[str] = frozenset()
    approvers: frozenset[str] = frozenset()

    def person(self, name: str, groups: Iterable[str] = ()) -> Person:
        known = {name, *(f"{GROUP}{it}" for it in groups)}
        officer = not known.isdisjoint(self.officers)
        return Person(name, officer, officer, not known.isdisjoint(self.approvers))


def fit_name(name: str) -> bool:
    """Whether somebody can be called that: not nothing, not without end, and not as a group is."""
    return 0 < len(name) <= LONGEST_NAME and not name.startswith(GROUP)


@dataclass(frozen=True, slots=True)
class Proxied:
    """A proxy that signs people in, and the header in which it names them."""

    header: str
    roles: Roles

    def who(self, headers: Mapping[str, str]) -> Person | None:
        """None where the header is missing, or holds no name."""
        name = headers.get(self.header, "").strip()
        return self.roles.person(name) if fit_name(name) else None


@dataclass(frozen=True, slots=True)
class _Session:
    person: Person
    ends: float


@dataclass(slots=True)
class Sessions:
    """Of one process; a restart ends them.

    callers: whose keys sign in; None where nobody has to, and `user` is who asks. proxied: where a proxy names people,
    and elsewhere: where an OpenID provider signs them in; each leaves keys without use.
    """

    callers: Callers | None
    user: str
    proxied: Proxied | None = None
    elsewhere: bool = False
    _open: dict[str, _Session] = field(default_factory=dict)

    @property
    def by_key(self) -> bool:
        """Whether people sign in here, with a key."""
        return self.proxied is None and not self.elsewhere and self.callers is not None

    @property
    def kept(self) -> bool:
        """Whether there are sessions, which somebody can end."""
        return self.by_key or self.elsewhere

    def who(self, headers: Mapping[str, str], cookie: str | None) -> Person | None:
        """None for somebody who has to sign in first."""
        if self.proxied is not None:
            return self.proxied.who(headers)
        if not self.kept:
            return Person(self.user)
        session = self._open.get(cookie or "")
        if session is None or session.ends <= monotonic():
            return None
        return session.person

    def sign_in(self, key: str) -> str | None:
        """A new session's cookie; None for a key that is not known or may not read."""
        caller = self.callers.find(key.encode()) if self.by_key and self.callers is not None else None
        if caller is None or "read" not in caller.scopes:
            return None
        return self.begin(Person(caller.name, True, "review" in caller.scopes, "approve" in caller.scopes))

    def begin(self, person: Person) -> str:
        """A new session's cookie."""
        while len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        cookie = secrets.token_urlsafe(32)
        self._open[cookie] = _Session(person, monotonic() + HOURS * 3600)
        return cookie

    def sign_out(self, cookie: str | None) -> None:
        self._open.pop(cookie or "", None)


def keep(response: Response, cookie: str, secure: bool, elsewhere: bool = False) -> None:
    """Give the browser a session's cookie, which no script reads and no other site sends.

    elsewhere: it comes back from an OpenID provider, and has to send the cookie as it arrives; forms of other sites
    still have none.
    """
    same: Literal["lax", "strict"] = "lax" if elsewhere else "strict"
    response.set_cookie(COOKIE, cookie, max_age=HOURS * 3600, httponly=True, samesite=same, secure=secure)
