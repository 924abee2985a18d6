"""The pages about people's own decisions: what waits for one, and deciding it, or past what the service said."""

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from app.audit.signing import signer_of
from app.audit.store.lookup import contents
from app.audit.store.recorded_policies import policy_of
from app.audit.store.repository import Stored
from app.audit.store.review_rows import count_waiting, waiting
from app.console.decision_pages import Missing
from app.console.shared import Console, Render, form_of
from app.errors import ReviewRefused
from app.reviews.reviewing import LONGEST_NOTE, Judgement, keep_review, review_of

MOST_WAITING = 50
"""In one list; the others follow when these are decided."""
REASON = "reason:"
"""Before the code in the name of a reason's box."""


def add_reviews(app: FastAPI, console: Console, page: Render, missing: Missing) -> None:
    """The queue, and the form for one decision."""

    @app.get("/reviews")
    def queue(request: Request) -> Response:
        rows = contents(console.store, waiting(console.store, MOST_WAITING))
        count, _ = count_waiting(console.store)
        return page(request, "reviews.html", rows=rows, count=count)

    @app.get("/decisions/{key}/review")
    def form(request: Request, key: str) -> Response:
        if (stored := console.stored(key)) is None:
            return missing(request)
        return _form(console, page, request, stored, {}, [])

    @app.post("/decisions/{key}/review")
    async def judged(request: Request, key: str) -> Response:
        return await run_in_threadpool(_judged, console, page, missing, request, key, await form_of(request))


def _judged(
    console: Console, page: Render, missing: Missing, request: Request, key: str, typed: dict[str, str]
) -> Response:
    if (stored := console.stored(key)) is None:
        return missing(request)
    codes = [name.removeprefix(REASON) for name in typed if name.startswith(REASON)]
    judgement = Judgement(typed.get("verdict", ""), typed.get("note", ""), codes, typed.get("seen") or None)
    policy = policy_of(console.store, stored.to_link().fields["policy_version"])
    signer = signer_of(console.settings.audit)
    try:
        wrong = keep_review(console.store, stored, policy, judgement, request.state.who, signer)
    except ReviewRefused as error:
        return page(request, "message.html", 409, title="Not decided", text=f"{error}.".capitalize())
    if wrong:
        return _form(console, page, request, stored, typed, wrong)
    return RedirectResponse(f"/decisions/{stored.key}", 303)


def _form(
    console: Console, page: Render, request: Request, stored: Stored, typed: dict[str, str], wrong: list[str]
) -> Response:
    console.looked(request.state.who, "look", stored.key)
    fields = stored.to_link().fields
    before = review_of(console.store, stored.key)
    policy = policy_of(console.store, fields["policy_version"])
    own = {reason["code"] for reason in fields["reasons"]}
    words = sorted(policy.phrases.items(), key=lambda it: it[0] not in own)
    chosen = {name.removeprefix(REASON) for name in typed if name.startswith(REASON)} if typed else own
    return page(
        request,
        "review.html",
        422 if wrong else 200,
        it=fields | {"key": stored.key},
        before=before,
        own=[it for it in words if it[0] in own],
        others=[it for it in words if it[0] not in own],
        chosen=chosen,
        typed=typed,
        wrong=wrong,
        prefix=REASON,
        longest=LONGEST_NOTE,
    )
