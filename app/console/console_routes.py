"""The console's application: what guards every page, signing in, the report of outcomes; each look is kept."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from app import __version__
from app.console.decision_pages import add_decisions, add_letters
from app.console.model_pages import add_models
from app.console.outcome_metrics import exposed
from app.console.promotion_pages import add_promotion
from app.console.review_pages import add_reviews
from app.console.sessions import COOKIE, Person
from app.console.shared import Console
from app.console.sign_in_pages import add_signing_in
from app.errors import CreditError
from app.reports.fairness import LIMITS
from app.reports.kept_reports import FAIRNESS, OUTCOMES, latest_report
from app.reports.vintages import AGES

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    # Not no-referrer, under which browsers send forms with the origin null.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
LOOKS_ONLY = "This is for officers, whom the setting console.officers names; everybody else looks."
DECIDES_NOT = "Deciding is for officers (console.officers), or for those whose API key has the scope review."
APPROVES_NOT = "Promoting is for approvers (console.approvers), or for those whose API key has the scope approve."
OPEN = (
    "/sign-in",
    "/sign-in/start",
    "/sign-in/done",
    "/static/console.css",
    "/static/icon.svg",
    "/healthz",
    "/metrics",
)
"""What nobody signs in for. The metrics tell of no person."""


GUARDED = {
    "/what-if": ("officer", LOOKS_ONLY),
    "/letter": ("officer", LOOKS_ONLY),
    "/review": ("decides", DECIDES_NOT),
    "/promote": ("approves", APPROVES_NOT),
}
"""By the end of a path: what a person has to be, and what is said to others."""


def create_console(console: Console) -> FastAPI:
    """Routes run in threads of their own: each waits for the database."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    environment = Environment(loader=FileSystemLoader(HERE / "pages"), autoescape=True, undefined=StrictUndefined)

    def page(request: Request, name: str, status: int = 200, **values: Any) -> Response:
        who = request.state.person
        about = {
            "who": who and who.name,
            "officer": who is not None and who.officer,
            "decides": who is not None and who.decides,
            "approves": who is not None and who.approves and console.settings.console.promotion,
            "signs": console.sessions.kept,
        }
        told = environment.get_template(name).render(**about, **values)
        return HTMLResponse(told, status)

    def missing(request: Request) -> Response:
        return page(request, "message.html", 404, title="Not found", text="The record holds no decision of this id.")

    @app.middleware("http")
    async def guarded(request: Request, call: Any) -> Response:
        who = request.state.person = console.sessions.who(request.headers, request.cookies.get(COOKIE))
        request.state.who = who and who.name
        response: Response
        if (refused := _refused(console, request)) is not None:
            response = page(request, "message.html", 403, title="Refused", text=refused)
        elif who is None and request.scope["path"] not in OPEN:
            response = RedirectResponse("/sign-in", 303)
        elif who is not None and (may_not := _may_not(who, request.scope["path"])) is not None:
            response = page(request, "message.html", 403, title="Refused", text=may_not)
        else:
            try:
                response = await call(request)
            except CreditError as error:
                response = page(request, "message.html", 503, title="That did not work", text=str(error))
        response.headers.update(HEADERS)
        return response

    add_signing_in(app, console, page)
    add_decisions(app, console, page, missing)
    add_letters(app, console, page, missing)
    add_models(app, console, page)
    add_promotion(app, console, page)
    add_reviews(app, console, page, missing)

    @app.get("/outcomes")
    def outcome_page(request: Request) -> Response:
        at, report = latest_report(console.store, OUTCOMES) or ("", None)
        return page(request, "outcomes.html", at=at, report=report, ages=AGES)

    @app.get("/fairness")
    def fairness_page(request: Request) -> Response:
        at, report = latest_report(console.store, FAIRNESS) or ("", None)
        return page(request, "fairness.html", at=at, report=report, limits=LIMITS)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(exposed(console.store), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.get("/healthz")
    async def healthz() -> Response:
        return Response(f"credit console {__version__}\n", media_type="text/plain")

    return app


def _may_not(who: Person, path: str) -> str | None:
    """Why that person must not do what the path is for; None for one who may."""
    for end, (needed, told) in GUARDED.items():
        if path.endswith(end) and not getattr(who, needed):
            return told
    return None


def _refused(console: Console, request: Request) -> str | None:
    """Why a request is not this console's own; None for one that is."""
    if console.hosts and request.url.hostname not in console.hosts:
        return "This console answers to this machine's own name, localhost."
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        return "Another site asked for that."
    return None
