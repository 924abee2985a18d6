"""Signing people in at an OpenID provider: the authorization code flow with PKCE, state and nonce, by Authlib."""

import logging
import secrets
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.console.sessions import Person, Roles, fit_name
from app.errors import SettingInvalid, SignInFailed
from app.settings import OpenIdSettings

COOKIE = "credit_signing_in"
SECONDS = 600
"""That somebody has to sign in at the provider."""
MOST = 1_000
"""Who are on their way at once; the first is forgotten when another comes."""
BACK = "/sign-in/done"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class OpenId:
    """Of one process: who has gone to the provider, and is expected back. Raises SettingInvalid."""

    settings: OpenIdSettings
    roles: Roles
    _client: Any = field(init=False)
    _expected: dict[str, tuple[dict[str, Any], float]] = field(default_factory=dict)
    """By cookie: what Authlib keeps between leaving and coming back, and until when."""

    def __post_init__(self) -> None:
        from authlib.integrations.starlette_client import OAuth

        needed = {name: getattr(self.settings, name) for name in ("client_id", "url")}
        if missing := [name for name, value in needed.items() if not value]:
            raise SettingInvalid(f"console.openid.issuer needs console.openid.{missing[0]} beside it")
        secret = self.settings.client_secret.get_secret_value()
        self._client = OAuth().register(
            "openid",
            client_id=self.settings.client_id,
            client_secret=secret or None,
            server_metadata_url=f"{self.settings.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": self.settings.scopes,
                "code_challenge_method": "S256",
                "timeout": 10,
                # One without a secret says who it is in the form.
                **({} if secret else {"token_endpoint_auth_method": "none"}),
            },
        )

    @property
    def secure(self) -> bool:
        """Whether people come over TLS."""
        return self.settings.url.startswith("https:")

    async def leave(self, request: Request) -> Response:
        """To the provider. Raises SignInFailed."""
        # Where Authlib looks for what it keeps.
        kept: dict[str, Any] = {}
        request.scope["session"] = kept
        response: Response = await self._asked(self._client.authorize_redirect(request, self.settings.url + BACK))
        while len(self._expected) >= MOST:
            del self._expected[next(iter(self._expected))]
        cookie = secrets.token_urlsafe(32)
        self._expected[cookie] = kept, monotonic() + SECONDS
        # Lax, because the way back begins at another site.
        response.set_cookie(COOKIE, cookie, max_age=SECONDS, httponly=True, samesite="lax", secure=self.secure)
        return response

    async def back(self, request: Request) -> Person:
        """Whom the provider names. Raises SignInFailed; each way back is good once."""
        kept, ends = self._expected.pop(request.cookies.get(COOKIE, ""), ({}, 0.0))
        if ends <= monotonic():
            raise SignInFailed("it took too long, or was begun in another browser; begin again")
        request.scope["session"] = kept
        token = await self._asked(self._client.authorize_access_token(request))
        claims = dict(token.get("userinfo") or {})
        if not claims.get("sub"):
            raise SignInFailed("the provider sent no ID token; console.openid.scopes has to hold openid")
        if "userinfo_endpoint" in await self._asked(self._client.load_server_metadata()):
            more = dict(await self._asked(self._client.userinfo(token=token)))
            if more.get("sub") != claims["sub"]:
                raise SignInFailed("the provider named two people")
            claims |= more
        return self._person(claims)

    def _person(self, claims: dict[str, Any]) -> Person:
        # An address that nobody has verified may be anybody's.
        name = str(claims.get("email") if claims.get("email_verified") is True else claims["sub"])
        if not fit_name(name):
            raise SignInFailed("what the provider calls this person is no name")
        groups = claims.get(self.settings.groups_claim) or []
        return self.roles.person(name, [str(it) for it in groups] if isinstance(groups, list) else [])

    async def _asked(self, asking: Any) -> Any:
        """What comes of asking the provider. Its own words are for the log."""
        from authlib.common.errors import AuthlibBaseError
        from httpx import HTTPError
        from joserfc.errors import JoseError

        try:
            return await asking
        except (AuthlibBaseError, JoseError, HTTPError, ValueError, KeyError, RuntimeError) as error:
            log.warning("sign-in failed", extra={"reason": f"{type(error).__name__}: {error}"[:500]})
            raise SignInFailed(
                f"{self.settings.issuer} did not confirm it ({type(error).__name__}); the console's log says more"
            ) from error
