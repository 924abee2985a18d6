"""The console's pages: found, explained, tried otherwise and written about; each look is kept in the record."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from app import __version__
from app.audit.acts import Actor, Acts
from app.audit.commands.replay import Deciders
from app.audit.signing import signer_of
from app.audit.store.finding import Criteria, find
from app.audit.store.lookup import canonical_id, contents
from app.audit.store.outcome_rows import outcomes
from app.audit.store.repository import Store, Stored
from app.console.sessions import COOKIE, Sessions, keep
from app.console.views import asked, check, explained, fields_of, read_value, written
from app.contract.contract import Contract
from app.errors import CreditError, CursorInvalid, LetterInvalid
from app.letters.template import LetterTemplate
from app.letters.writing import UNSETTLED, keep_letters, letter_of
from app.outcomes.performance import outcome_report
from app.settings import Settings

HERE = Path(__file__).parent
PAGE = 25
MOST_FORM_BYTES = 64 * 1024
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
OPEN = ("/sign-in", "/static/console.css", "/healthz")

Render = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Console:
    """What the pages work on."""

    settings: Settings
    store: Store
    deciders: Deciders
    contract: Contract
    sessions: Sessions
    template: LetterTemplate
    hosts: frozenset[str] = frozenset()
    """Names that it answers to; all of them when empty. Where nobody signs in, a page of another site whose name was
    made to lead here could read everything."""

    def stored(self, key: str) -> Stored | None:
        """A decision by its id."""
        canonical = canonical_id(key)
        return None if canonical is None else self.store.decision(canonical)

    def looked(self, who: str, what: str, key: str) -> None:
        """Keep that somebody looked at a person's decision. Raises RecordUnavailable: then nothing is shown."""
        Acts(self.store, self.settings.audit).keep(what, Actor(who, "console"), {"decision": key})


def create_console(console: Console) -> FastAPI:
    """Routes run in threads of their own: each waits for the database."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    environment = Environment(loader=FileSystemLoader(HERE / "pages"), autoescape=True, undefined=StrictUndefined)
    environment.filters["written"] = written

    def page(request: Request, name: str, status: int = 200, **values: Any) -> Response:
        who = getattr(request.state, "who", None)
        told = environment.get_template(name).render(who=who, signs=console.sessions.callers is not None, **values)
        return HTMLResponse(told, status)

    def missing(request: Request) -> Response:
        return page(request, "message.html", 404, title="Not found", text="The record holds no decision of this id.")

    @app.middleware("http")
    async def guarded(request: Request, call: Any) -> Response:
        request.state.who = console.sessions.who(request.cookies.get(COOKIE))
        response: Response
        if (refused := _refused(console, request)) is not None:
            response = page(request, "message.html", 403, title="Refused", text=refused)
        elif request.state.who is None and request.url.path not in OPEN:
            response = RedirectResponse("/sign-in", 303)
        else:
            try:
                response = await call(request)
            except CreditError as error:
                response = page(request, "message.html", 503, title="That did not work", text=str(error))
        response.headers.update(HEADERS)
        return response

    _add_signing_in(app, console, page)
    _add_decisions(app, console, page, missing)
    _add_letters(app, console, page, missing)

    @app.get("/outcomes")
    def outcome_page(request: Request) -> Response:
        known = outcomes(console.store)
        report = outcome_report(console.store.decisions(None, None), known, lambda _: None)
        return page(request, "outcomes.html", report=report)

    @app.get("/healthz")
    async def healthz() -> Response:
        return Response(f"credit console {__version__}\n", media_type="text/plain")

    return app


def _refused(console: Console, request: Request) -> str | None:
    """Why a request is not this console's own; None for one that is."""
    if console.hosts and request.url.hostname not in console.hosts:
        return "This console answers to this machine's own name, localhost."
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        return "Another site asked for that."
    return None


async def _form(request: Request) -> dict[str, str]:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MOST_FORM_BYTES:
            raise LetterInvalid("this form is larger than 64 KiB")
    return dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1_000))


def _add_signing_in(app: FastAPI, console: Console, page: Render) -> None:
    @app.get("/sign-in")
    async def ask(request: Request) -> Response:
        return page(request, "sign_in.html", wrong=False)

    @app.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        cookie = console.sessions.sign_in((await _form(request)).get("key", "").strip())
        if cookie is None:
            return page(request, "sign_in.html", 403, wrong=True)
        response = RedirectResponse("/", 303)
        keep(response, cookie, request.url.scheme == "https")
        return response

    @app.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        console.sessions.sign_out(request.cookies.get(COOKIE))
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response


def _add_decisions(app: FastAPI, console: Console, page: Render, missing: Callable[[Request], Response]) -> None:
    @app.get("/")
    def listed(request: Request) -> Response:
        asked_for = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
        key = asked_for.get("id")
        if key is not None and console.stored(key) is not None:
            return RedirectResponse(f"/decisions/{canonical_id(key)}", 303)
        criteria = Criteria(application_id=asked_for.get("application"), verdict=asked_for.get("verdict"))
        try:
            found = find(console.store, criteria, PAGE, asked_for.get("cursor"))
        except CursorInvalid:
            return RedirectResponse("/", 303)
        after = asked_for | {"cursor": found.cursor or ""}
        rows = contents(console.store, found.decisions)
        more = f"/?{urlencode(after)}" if found.cursor else ""
        return page(request, "decisions.html", rows=rows, asked=asked_for, more=more, unknown=key is not None)

    @app.get("/decisions/{key}")
    def one(request: Request, key: str) -> Response:
        return _decision(console, page, missing, request, key, None)

    @app.post("/decisions/{key}/check")
    def checked(request: Request, key: str) -> Response:
        stored = console.stored(key)
        found = None if stored is None else check(console.store, stored, console.deciders)
        return _decision(console, page, missing, request, key, found)

    @app.get("/decisions/{key}/what-if")
    def what_if(request: Request, key: str) -> Response:
        return _what_if(console, page, missing, request, key, {})

    @app.post("/decisions/{key}/what-if")
    async def tried(request: Request, key: str) -> Response:
        # In the body, because addresses stay in histories.
        typed = await _form(request)
        return await run_in_threadpool(_what_if, console, page, missing, request, key, typed)


def _what_if(
    console: Console,
    page: Render,
    missing: Callable[[Request], Response],
    request: Request,
    key: str,
    typed: dict[str, str],
) -> Response:
    stored = console.stored(key)
    if stored is None:
        return missing(request)
    console.looked(request.state.who, "what_if", stored.key)
    fields = stored.to_link().fields
    decider = console.deciders.of(fields)
    if isinstance(decider, str):
        return page(request, "message.html", 409, title="Its model is not to be had", text=decider)
    shown, wrong = fields_of(console.contract, fields["features"]), []
    values = [it.value for it in shown]
    for at, it in enumerate(shown):
        if it.field.name in typed:
            values[at], complaint = read_value(it.field, typed[it.field.name])
            wrong += [complaint] if complaint else []
    before = asked(decider, [it.value for it in shown])
    after = before if wrong else asked(decider, values)
    boxes = [(it, typed.get(it.field.name, it.typed)) for it in shown]
    return page(request, "what_if.html", key=stored.key, boxes=boxes, before=before, after=after, wrong=wrong)


def _decision(
    console: Console,
    page: Render,
    missing: Callable[[Request], Response],
    request: Request,
    key: str,
    found: Any,
) -> Response:
    stored = console.stored(key)
    if stored is None:
        return missing(request)
    console.looked(request.state.who, "look", stored.key)
    (fields,) = contents(console.store, [stored])
    bars, why = explained(console.deciders, fields)
    shown = fields_of(console.contract, fields["features"])
    known = outcomes(console.store, [stored.key]).get(stored.key)
    return page(request, "decision.html", it=fields, shown=shown, bars=bars, why=why, checked=found, outcome=known)


def _add_letters(app: FastAPI, console: Console, page: Render, missing: Callable[[Request], Response]) -> None:
    @app.get("/decisions/{key}/letter")
    def preview(request: Request, key: str) -> Response:
        stored = console.stored(key)
        if stored is None:
            return missing(request)
        console.looked(request.state.who, "letter_preview", stored.key)
        made = letter_of(stored, console.template, [])
        unsettled = sorted(set(UNSETTLED.findall(made.kept)))
        return page(request, "letter.html", key=stored.key, letter=made.html, unsettled=unsettled)

    @app.post("/decisions/{key}/letter")
    def sent(request: Request, key: str) -> Response:
        from app.letters.pdf import pdf_of

        stored = console.stored(key)
        if stored is None:
            return missing(request)
        made = letter_of(stored, console.template, [])
        content = pdf_of(made.html, f"Notice on decision {stored.key}")
        if not UNSETTLED.search(made.kept):
            signer = signer_of(console.settings.audit)
            keep_letters(console.store, [made], console.template, request.state.who, signer)
        name = {"Content-Disposition": f'attachment; filename="{stored.key}.pdf"'}
        return Response(content, media_type="application/pdf", headers=name)
