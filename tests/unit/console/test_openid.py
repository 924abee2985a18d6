"""People who sign in at an OpenID provider: one that keeps to the rules, and one that does not.

The provider here lies where a test wants it to; tests/journeys signs in at one that is certified.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.audit.store.repository import Store
from app.console.console_routes import create_console
from app.console.openid import COOKIE, OpenId
from app.console.sessions import COOKIE as SESSION, Roles, Sessions
from app.errors import SettingInvalid
from app.settings import OpenIdSettings
from tests.unit.console.test_console_routes import Browser, World, world

KEY, FOREIGN = (RSAKey.generate_key(2048, {"kid": "k", "use": "sig", "alg": "RS256"}) for _ in range(2))
ROLES = Roles(frozenset({"group:officers"}), frozenset({"j.doe@lender.example"}))


@dataclass
class Provider:
    """Answers discovery, keys, tokens and userinfo. claims and more: changes of the ID token and of userinfo."""

    claims: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEY)
    nonce: str = ""
    verifiers: list[str] = field(default_factory=list)
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server looks for
                answers = {
                    "/.well-known/openid-configuration": provider.metadata,
                    "/keys": {"keys": [KEY.as_dict(private=False)]},
                    "/me": {"sub": "u-1", "email": "j.doe@lender.example", "email_verified": True} | provider.more,
                }
                self.answer(answers[self.path])

            def do_POST(self) -> None:  # the name that http.server looks for
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                provider.verifiers += form["code_verifier"]
                self.answer({"access_token": "a", "token_type": "Bearer", "id_token": provider.token()})

            def answer(self, document: Any) -> None:
                content = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def metadata(self) -> dict[str, Any]:
        ends = {"authorization_endpoint": "login", "token_endpoint": "token", "jwks_uri": "keys"}
        ends["userinfo_endpoint"] = "me"
        found = {name: f"{self.issuer}/{path}" for name, path in ends.items()}
        return found | {"issuer": self.issuer, "id_token_signing_alg_values_supported": ["RS256"]}

    def token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "u-1", "aud": "console", "iat": now, "exp": now + 60}
        return jwt.encode({"alg": "RS256", "kid": "k"}, claims | {"nonce": self.nonce} | self.claims, self.key)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def at_provider(sqlite_store: Store, tmp_path: Path, provider: Provider) -> World:
    it = world(sqlite_store, tmp_path)
    settings = OpenIdSettings(issuer=provider.issuer, client_id="console", url="http://console")
    sessions = Sessions(None, "somebody", elsewhere=True)
    whole = it.console.settings.model_copy(
        update={"console": it.console.settings.console.model_copy(update={"openid": settings})}
    )
    console = replace(it.console, settings=whole, sessions=sessions, openid=OpenId(settings, ROLES))
    return replace(it, console=console, browser=Browser(create_console(console)))


def leave(browser: Browser, provider: Provider) -> dict[str, str]:
    """To the provider; gives what it was sent."""
    answer = browser.get("/sign-in/start")
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(f"{provider.issuer}/login?")
    sent = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    provider.nonce = sent["nonce"]
    return sent


def back(browser: Browser, sent: dict[str, str]) -> httpx.Response:
    return browser.get("/sign-in/done", params={"code": "c", "state": sent["state"]})


def test_whom_the_provider_names_is_signed_in_with_what_their_groups_may(
    at_provider: World, provider: Provider
) -> None:
    browser = at_provider.browser
    provider.more = {"groups": ["staff", "officers"]}
    assert browser.get("/").headers["location"] == "/sign-in"
    asked = browser.get("/sign-in").text
    assert provider.issuer.partition("://")[2] in asked
    assert "API key" not in asked
    sent = leave(browser, provider)
    assert sent["redirect_uri"] == "http://console/sign-in/done"
    assert (sent["response_type"], sent["code_challenge_method"]) == ("code", "S256")
    answer = back(browser, sent)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    told = answer.headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=lax" in told
    assert len(provider.verifiers) == 1
    page = browser.get(f"/decisions/{at_provider.refused}").text
    assert "j.doe@lender.example" in page
    assert "Letter</a>" in page
    assert [act["by"] for act in at_provider.acts("look")] == ["j.doe@lender.example"]
    browser.post("/sign-out")
    assert browser.get("/").headers["location"] == "/sign-in"


def test_who_is_in_no_group_looks(at_provider: World, provider: Provider) -> None:
    provider.more = {"sub": "u-1", "email": "other@lender.example", "groups": ["staff"]}
    assert back(at_provider.browser, leave(at_provider.browser, provider)).status_code == 303
    page = f"/decisions/{at_provider.refused}"
    assert "Letter</a>" not in at_provider.browser.get(page).text
    assert at_provider.browser.get(f"{page}/letter").status_code == 403
    assert at_provider.browser.get("/models/1/promote").status_code == 403


@pytest.mark.parametrize("verified", [False, None, "true"])
def test_an_address_that_nobody_verified_is_nobodys_name(
    at_provider: World, provider: Provider, verified: object
) -> None:
    provider.more = {"email": "j.doe@lender.example", "email_verified": verified}
    assert back(at_provider.browser, leave(at_provider.browser, provider)).status_code == 303
    page = at_provider.browser.get("/").text
    assert "u-1" in page
    assert "j.doe" not in page


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another"},
        {"aud": "of another"},
        {"iss": "https://login.other.example"},
        {"exp": 1},
        {"sub": ""},
        {"sub": "group:officers"},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    at_provider: World, provider: Provider, claims: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    provider.claims = claims
    provider.more = {"sub": claims.get("sub", "u-1"), "email_verified": False}
    answer = back(at_provider.browser, leave(at_provider.browser, provider))
    assert (answer.status_code, SESSION in at_provider.browser.cookies) == (403, False)
    assert "Traceback" not in answer.text + caplog.text


def test_a_token_of_another_key_opens_nothing(at_provider: World, provider: Provider) -> None:
    provider.key = FOREIGN
    answer = back(at_provider.browser, leave(at_provider.browser, provider))
    assert answer.status_code == 403
    assert "did not confirm it (BadSignatureError)" in answer.text


def test_userinfo_of_somebody_else_opens_nothing(at_provider: World, provider: Provider) -> None:
    provider.more = {"sub": "u-2"}
    answer = back(at_provider.browser, leave(at_provider.browser, provider))
    assert (answer.status_code, "named two people" in answer.text) == (403, True)


def test_a_way_back_is_good_once_and_in_one_browser(at_provider: World, provider: Provider) -> None:
    browser = at_provider.browser
    sent = leave(browser, provider)
    stranger = Browser(browser.app)
    refused = back(stranger, sent)
    assert (refused.status_code, "begun in another browser" in refused.text) == (403, True)
    wrong = back(browser, sent | {"state": "guessed"})
    assert (wrong.status_code, SESSION in browser.cookies) == (403, False)
    browser.cookies = {}
    sent = leave(browser, provider)
    kept = dict(browser.cookies)
    assert COOKIE in kept
    assert back(browser, sent).status_code == 303
    browser.cookies = kept
    assert back(browser, sent).status_code == 403


def test_what_the_provider_refuses_is_told(at_provider: World, provider: Provider) -> None:
    leave(at_provider.browser, provider)
    answer = at_provider.browser.get("/sign-in/done", params={"error": "access_denied"})
    assert (answer.status_code, "did not confirm it (OAuthError)" in answer.text) == (403, True)


def test_a_provider_that_does_not_answer_is_told(sqlite_store: Store, tmp_path: Path) -> None:
    it = world(sqlite_store, tmp_path)
    settings = OpenIdSettings(issuer="http://127.0.0.1:9", client_id="console", url="https://console")
    sessions = Sessions(None, "somebody", elsewhere=True)
    browser = Browser(create_console(replace(it.console, sessions=sessions, openid=OpenId(settings, ROLES))))
    answer = browser.get("/sign-in/start")
    assert (answer.status_code, "http://127.0.0.1:9 did not confirm it (ConnectError)" in answer.text) == (502, True)


def test_a_provider_without_the_rest_is_refused() -> None:
    with pytest.raises(SettingInvalid, match=r"console\.openid\.issuer needs console\.openid\.client_id beside it"):
        OpenId(OpenIdSettings(issuer="https://login.lender.example"), ROLES)
