"""The pages about decisions: found, explained, checked, tried otherwise, and written about."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from app.audit.signing import signer_of
from app.audit.store.finding import Criteria, find
from app.audit.store.lookup import canonical_id, contents
from app.audit.store.outcome_rows import outcomes
from app.console.shared import Console, Render, form_of
from app.console.views import asked, check, explained, fields_of, read_value
from app.errors import CursorInvalid
from app.letters.writing import UNSETTLED, keep_letters, letter_of
from app.reviews.reviewing import review_of
from app.times import end_of_day, start_of_day

PAGE = 25
"""Decisions in one list."""

Missing = Callable[[Request], Response]


def add_decisions(app: FastAPI, console: Console, page: Render, missing: Missing) -> None:
    """The list, one decision, its check, and what if."""

    @app.get("/")
    def listed(request: Request) -> Response:
        asked_for = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
        key = asked_for.get("id")
        if key is not None and console.stored(key) is not None:
            return RedirectResponse(f"/decisions/{canonical_id(key)}", 303)
        criteria = Criteria(
            application_id=asked_for.get("application"),
            verdict=asked_for.get("verdict"),
            since=start_of_day(asked_for.get("from", "")),
            until=end_of_day(asked_for.get("to", "")),
            model_version=asked_for.get("version"),
        )
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
        typed = await form_of(request)
        return await run_in_threadpool(_what_if, console, page, missing, request, key, typed)


def _what_if(
    console: Console,
    page: Render,
    missing: Missing,
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
    missing: Missing,
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


def add_letters(app: FastAPI, console: Console, page: Render, missing: Missing) -> None:
    """The letter to look at, and as a PDF."""

    @app.get("/decisions/{key}/letter")
    def preview(request: Request, key: str) -> Response:
        stored = console.stored(key)
        if stored is None:
            return missing(request)
        console.looked(request.state.who, "letter_preview", stored.key)
        made = letter_of(stored, console.template, [], review_of(console.store, stored.key))
        unsettled = sorted(set(UNSETTLED.findall(made.kept)))
        return page(request, "letter.html", key=stored.key, letter=made.html, unsettled=unsettled)

    @app.post("/decisions/{key}/letter")
    def sent(request: Request, key: str) -> Response:
        from app.letters.pdf import pdf_of

        stored = console.stored(key)
        if stored is None:
            return missing(request)
        made = letter_of(stored, console.template, [], review_of(console.store, stored.key))
        content = pdf_of(made.html, f"Notice on decision {stored.key}")
        if UNSETTLED.search(made.kept):
            console.looked(request.state.who, "letter_preview", stored.key)
        else:
            signer = signer_of(console.settings.audit)
            keep_letters(console.store, [made], console.template, request.state.who, signer)
        name = {"Content-Disposition": f'attachment; filename="{stored.key}.pdf"'}
        return Response(content, media_type="application/pdf", headers=name)
