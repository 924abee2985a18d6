"""Signing in and out: with a key, or at an OpenID provider."""

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from app.console.openid import COOKIE as ON_THE_WAY, OpenId
from app.console.sessions import COOKIE, keep
from app.console.shared import Console, Render, form_of
from app.errors import SignInFailed


def add_signing_in(app: FastAPI, console: Console, page: Render) -> None:
    """The routes."""

    @app.get("/sign-in")
    async def ask(request: Request) -> Response:
        if (proxied := console.sessions.proxied) is not None:
            text = f"The proxy in front of this console named nobody: the header {proxied.header} is missing."
            return page(request, "message.html", 401, title="Not signed in", text=text)
        return page(request, "sign_in.html", wrong=False, issuer=console.settings.console.openid.issuer)

    @app.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        cookie = console.sessions.sign_in((await form_of(request)).get("key", "").strip())
        if cookie is None:
            return page(request, "sign_in.html", 403, wrong=True, issuer=console.settings.console.openid.issuer)
        response = RedirectResponse("/", 303)
        keep(response, cookie, request.url.scheme == "https")
        return response

    @app.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        console.sessions.sign_out(request.cookies.get(COOKIE))
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response

    if console.openid is not None:
        _add_openid(app, console, console.openid, page)


def _add_openid(app: FastAPI, console: Console, openid: OpenId, page: Render) -> None:
    @app.get("/sign-in/start")
    async def start(request: Request) -> Response:
        try:
            return await openid.leave(request)
        except SignInFailed as error:
            return page(request, "message.html", 502, title="Not signed in", text=str(error))

    @app.get("/sign-in/done")
    async def done(request: Request) -> Response:
        try:
            person = await openid.back(request)
        except SignInFailed as error:
            return page(request, "message.html", 403, title="Not signed in", text=str(error))
        response = RedirectResponse("/", 303)
        keep(response, console.sessions.begin(person), openid.secure, elsewhere=True)
        response.delete_cookie(ON_THE_WAY)
        return response
