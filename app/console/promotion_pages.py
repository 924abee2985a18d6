"""Putting a model into production from a page: by the gate, and where two people have to agree, by both."""

from threading import Lock
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from app.audit.acts import Actor, Acts
from app.console.gate_process import GateAnswer, promote_in_child
from app.console.model_pages import MOST_ACTS, named, no_version
from app.console.shared import Console, Render, form_of
from app.registry import ALIAS
from app.registry.aliases import Version

ASKED = "promotion_asked"
LONGEST_REASON = 1_000
OFF = "Promotion from here is off (console.promotion); credit registry promote does it."
BUSY = "The gate is judging another version just now; ask again when it is done."
ONE_PERSON = "audit.four_eyes asks for a second person; whoever asked cannot consent."


def add_promotion(app: FastAPI, console: Console, page: Render) -> None:
    """The form, and what it does."""
    judging = Lock()

    @app.get("/models/{number}/promote")
    def form(request: Request, number: str) -> Response:
        return _form(console, page, request, number)

    @app.post("/models/{number}/promote")
    async def asked(request: Request, number: str) -> Response:
        reason = (await form_of(request)).get("reason", "").strip()
        return await run_in_threadpool(_asked, console, page, judging, request, number, reason)


def _form(console: Console, page: Render, request: Request, number: str, wrong: str = "") -> Response:
    found = named(console, number)
    if found is None:
        return no_version(page, request)
    if not console.settings.console.promotion:
        return page(request, "message.html", 403, title="Refused", text=OFF)
    return page(
        request,
        "promote.html",
        422 if wrong else 200,
        it=found,
        data=console.settings.train.data or "the synthetic sample",
        two_people=console.settings.audit.four_eyes,
        asked=open_request(console, found),
        longest=LONGEST_REASON,
        wrong=wrong,
    )


def _asked(console: Console, page: Render, judging: Lock, request: Request, number: str, reason: str) -> Response:
    found, who = named(console, number), request.state.who
    if found is None or not console.settings.console.promotion:
        return _form(console, page, request, number)
    earlier = open_request(console, found) if console.settings.audit.four_eyes else None
    if earlier is None and not 0 < len(reason) <= LONGEST_REASON:
        return _form(console, page, request, number, f"Say why, in no more than {LONGEST_REASON:,} characters.")
    if console.settings.audit.four_eyes:
        if earlier is None:
            about = {"version": found.version, "alias": ALIAS}
            Acts(console.store, console.settings.audit).keep(ASKED, Actor(who, reason), about)
            return RedirectResponse(f"/models/{found.version}/promote", 303)
        if earlier["by"] == who:
            return page(request, "message.html", 409, title="Not promoted", text=ONE_PERSON)
    if not judging.acquire(blocking=False):
        return page(request, "message.html", 409, title="Not promoted", text=BUSY)
    try:
        actor = Actor(who, reason) if earlier is None else Actor(earlier["by"], earlier["reason"], who)
        answer: GateAnswer = promote_in_child(found.version, actor)
    finally:
        judging.release()
    return page(request, "promoted.html", it=found, answer=answer, alias=ALIAS)


def open_request(console: Console, version: Version) -> dict[str, Any] | None:
    """That somebody has asked for a version to be promoted, while nothing has come of it. Raises RecordUnavailable."""
    for stored in console.store.acts((ASKED, "promotion"), MOST_ACTS):
        fields = stored.to_link().fields
        about = fields["about"]
        if about.get("version") == version.version and about.get("alias") == ALIAS:
            return fields if fields["what"] == ASKED else None
    return None
