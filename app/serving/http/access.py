"""Lets in whoever has an API key for what is asked, where keys are wanted; decides by the header and the path alone."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope as AsgiScope, Send

from app.callers.known import Scope
from app.serving.http.problems import NO_DECISION, problem
from app.serving.live.admission import Admission

OPEN = frozenset({"/health", "/livez", "/readyz", "/metrics", "/meta", "/boom", "/docs", "/openapi.json"})
OPEN_BELOW = "/docs/"
READ_BELOW = "/decisions/"

NO_KEY = "this path needs an API key, as in Authorization: Bearer KEY"
UNKNOWN_KEY = "this API key is not known; ask the operator for one"
OUT_OF_SCOPE = "this API key is not for decisions: it lacks the scope predict"
CHALLENGE = {"WWW-Authenticate": "Bearer"}


def needed_for(path: str) -> Scope | None:
    """The scope that a path needs, None when it is open. What nobody thought of is not open."""
    if path in OPEN or path.startswith(OPEN_BELOW):
        return None
    return "read" if path.startswith(READ_BELOW) else "predict"


class OnlyCallers:
    """ASGI middleware: before anything of the body is read, finds the caller and leaves the name as scope["caller"]."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app = app
        self._admission = admission

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        callers = self._admission.callers
        if callers is None or scope["type"] != "http" or (needed := needed_for(scope["path"])) is None:
            return await self.app(scope, receive, send)
        requests = self._admission.requests
        key = key_of(scope["headers"])
        if key is None:
            requests.labels("", "no_key").inc()
            return await problem(401, NO_KEY, CHALLENGE)(scope, receive, send)
        caller = callers.find(key)
        if caller is None:
            requests.labels("", "unknown_key").inc()
            return await problem(401, UNKNOWN_KEY, CHALLENGE)(scope, receive, send)
        scope["caller"] = caller.name
        if needed not in caller.scopes:
            requests.labels(caller.name, "out_of_scope").inc()
            # Whoever may not read the record is not told either which decisions there were.
            refusal = problem(404, NO_DECISION) if needed == "read" else problem(403, OUT_OF_SCOPE)
            return await refusal(scope, receive, send)
        requests.labels(caller.name, "let_in").inc()
        await self.app(scope, receive, send)


def key_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The key of the one Authorization header; None without one, and where two leave open which counts."""
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) != 1:
        return None
    scheme, _, key = given[0].partition(b" ")
    return key.strip(b" ") or None if scheme.lower() == b"bearer" else None
