"""The paths that are answered, in one table: what each needs, takes and is counted as."""

from dataclasses import dataclass

from app.callers.known import Scope

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path, or all paths that have something in its last place."""

    template: str
    """As the routes, the metrics and the log name it."""
    scope: Scope | None
    """What an API key has to be for, where keys are wanted; None: open to everybody."""
    most_body_bytes: int = 64 * KIB
    """An applicant needs less than 1 KiB, 10 000 rows 4 MiB."""
    sheddable: bool = False
    """A POST is refused where too many wait: its client can ask again or elsewhere, a probe cannot."""
    quiet: bool = False
    """Asked every few seconds by machines: not counted, and logged at DEBUG only."""
    public: bool = False
    """For clients outside of the cluster; what needs another scope than predict only where keys are
    wanted."""
    hidden: bool = False
    """Whoever lacks the scope is answered 404, so that not even the ids of decisions can be guessed."""


PREDICT = Endpoint("/predict", "predict", sheddable=True, public=True)
BATCH = Endpoint("/predict/batch", "predict", most_body_bytes=4 * MIB, sheddable=True, public=True)
EXPLAIN = Endpoint("/explain", "read", sheddable=True, public=True)

INVOCATIONS = Endpoint("/invocations", "predict", most_body_bytes=4 * MIB, sheddable=True, public=True)

ENDPOINTS = (
    PREDICT,
    BATCH,
    INVOCATIONS,
    Endpoint("/ping", None, public=True),
    Endpoint("/version", None, public=True),
    Endpoint("/v2", None, public=True),
    Endpoint("/v2/health/live", None, public=True),
    Endpoint("/v2/health/ready", None, public=True),
    Endpoint("/v2/models", "predict", public=True),
    Endpoint("/v2/models/{path}", "predict", most_body_bytes=4 * MIB, public=True),
    EXPLAIN,
    Endpoint("/outcomes", "outcomes", most_body_bytes=4 * MIB, public=True),
    Endpoint("/decisions", "read", public=True, hidden=True),
    Endpoint("/decisions/{id}", "read", public=True, hidden=True),
    Endpoint("/health", None, public=True),
    Endpoint("/meta", None, public=True),
    Endpoint("/docs", None, public=True),
    Endpoint("/docs/{name}", None, public=True),
    Endpoint("/openapi.json", None, public=True),
    Endpoint("/problems/{name}", None, public=True),
    Endpoint("/livez", None, quiet=True),
    Endpoint("/readyz", None, quiet=True),
    Endpoint("/metrics", None, quiet=True),
    Endpoint("/boom", None),
)

UNKNOWN = Endpoint("", "predict")
"""What nobody thought of is not open."""

SHEDDABLE = frozenset(it.template.encode() for it in ENDPOINTS if it.sheddable)
QUIET = frozenset(it.template for it in ENDPOINTS if it.quiet)

_EXACT = {it.template: it for it in ENDPOINTS}
_BELOW = {it.template.partition("{")[0]: it for it in ENDPOINTS if "{" in it.template}


def endpoint_of(path: str) -> Endpoint:
    """The entry of a request's path or of a template, spelled exactly so; UNKNOWN for every other."""
    if (found := _EXACT.get(path)) is not None:
        return found
    return next((it for start, it in _BELOW.items() if path.startswith(start)), UNKNOWN)
