"""The routes: each reads, calls and answers; what an answer means is decided elsewhere."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.telemetry import TelemetryConfig
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator.metrics import Info
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from app.features import NULLABLE, POSITIONS
from app.metrics import Metrics
from app.serving.api.answers import answer, answer_batch
from app.serving.api.batches import encoded
from app.serving.api.decisions import add_records
from app.serving.api.docs_page import docs_router, document_of
from app.serving.api.openapi import KEPT, body, problems
from app.serving.api.reading import read_rows, read_vector
from app.serving.api.schema import (
    BatchAnswer,
    Challenging,
    Health,
    LastReload,
    Meta,
    Position,
    PredictAnswer,
    Registry,
    Status,
)
from app.serving.http.access import OnlyCallers
from app.serving.http.limits import BodyLimits
from app.serving.http.logs import RequestLog
from app.serving.http.media import require_json
from app.serving.http.problems import RETRY_AFTER_SECONDS, FailuresAsProblems, NoModel, add_problem_handlers
from app.serving.http.request_ids import RequestIds, current_request_id
from app.serving.live.admission import Admission
from app.serving.live.challenger import Challenger
from app.serving.live.holder import Holder, Serving
from app.serving.live.reloads import Reload
from app.serving.record.recorder import Asked, Recorder
from app.settings import Settings

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]

# The metrics that the framework would send elsewhere are exposed at /metrics, and its logs quote exceptions.
NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(
    settings: Settings,
    holder: Holder,
    metrics: Metrics,
    lifespan: Lifespan | None = None,
    challenger: Challenger | None = None,
    admission: Admission | None = None,
    recorder: Recorder | None = None,
) -> FastAPI:
    """The API over whatever the holder serves.

    challenger: one that holds no model when None. admission: one that lets everybody in when None. recorder:
    decisions are not kept when None.
    """
    challenger = challenger or Challenger(settings, metrics)
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan, telemetry=NO_TELEMETRY)
    add_problem_handlers(app)
    app.openapi = document_of(app)  # type: ignore[method-assign]
    app.include_router(docs_router(app.openapi))
    _add_decisions(app, holder, challenger, recorder)
    add_records(app, settings)
    _add_model(app, settings, holder, challenger)
    _add_operation(app, holder)
    # The last one added is the first that a request meets.
    app.add_middleware(BodyLimits)
    app.add_middleware(OnlyCallers, admission=admission or Admission(None, metrics))
    app.add_middleware(FailuresAsProblems)
    _instrument(app, metrics)
    app.add_middleware(RequestLog)
    app.add_middleware(RequestIds)
    return app


def _serving(holder: Holder) -> Serving:
    if holder.serving is None:
        last = holder.last_reload
        raise NoModel("the first attempt to load one has not ended" if last is None else last.reason)
    return holder.serving


def _asked(request: Request) -> Asked:
    return Asked(current_request_id(), request.scope.get("caller"))


def _json(content: bytes, serving: Serving, afterwards: BackgroundTask | None, decision_id: str | None) -> Response:
    headers = {"X-Model-Version": serving.model.identity.version}
    if decision_id is not None:
        headers["X-Decision-ID"] = decision_id
    return Response(content, headers=headers, media_type="application/json", background=afterwards)


def _add_decisions(app: FastAPI, holder: Holder, challenger: Challenger, recorder: Recorder | None) -> None:
    @app.post(
        "/predict",
        operation_id="predict",
        summary="Decide on one applicant",
        tags=["decisions"],
        response_model=PredictAnswer,
        responses=KEPT | problems(408, 413, 415, 422, 500, 503),
        openapi_extra=body("PredictRequest"),
    )
    async def predict(request: Request) -> Response:
        require_json(request.headers)
        vector = read_vector(await request.body())
        serving = _serving(holder)
        answered, content = answer(serving, vector, recorder, _asked(request))
        afterwards = challenger.after(serving, [vector], [answered])
        return _json(content, serving, afterwards, answered["decision_id"])

    @app.post(
        "/predict/batch",
        operation_id="predict_batch",
        summary="Decide on up to 10 000 applicants, all of them or none",
        tags=["decisions"],
        response_model=BatchAnswer,
        responses=problems(408, 413, 415, 422, 500, 503),
        openapi_extra=body("BatchRequest"),
    )
    async def predict_batch(request: Request) -> Response:
        require_json(request.headers)
        rows = read_rows(await request.body())
        serving = _serving(holder)
        answered = await answer_batch(serving, rows, recorder, _asked(request))
        afterwards = challenger.after(serving, rows, answered["predictions"])
        return _json(await encoded(answered), serving, afterwards, None)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _last(reload: Reload | None) -> LastReload | None:
    return None if reload is None else LastReload(outcome=reload.outcome, at=_utc(reload.at), reason=reload.reason)


def _add_model(app: FastAPI, settings: Settings, holder: Holder, challenger: Challenger) -> None:
    positions = [Position(position=at, name=name, nullable=name in NULLABLE) for at, name in enumerate(POSITIONS)]

    @app.get("/meta", operation_id="meta", summary="The model that is loaded", tags=["model"], responses=problems(500))
    async def meta() -> Meta:
        serving, contact = holder.serving, holder.registry
        document = None if serving is None else serving.model.document
        return Meta(
            model_uri=settings.mlflow.model_uri,
            threshold=holder.policy.threshold,
            policy_version=holder.policy.version,
            n_features_expected=len(POSITIONS),
            git_commit=settings.git_commit,
            model_version=document and document.identity.version,
            features=positions,
            run_id=document and document.identity.run_id,
            digest=document and document.identity.digest,
            loaded_at=serving and _utc(serving.loaded_at),
            trained_at=document and _utc(document.identity.trained_at),
            figures=document and document.figures,
            warnings=document and document.warnings,
            stale=holder.stale,
            registry=contact and Registry(up=contact.up, since=_utc(contact.since)),
            last_reload=_last(holder.last_reload),
            last_policy_reload=_last(holder.last_policy_reload),
            challenger=Challenging(
                model_uri=challenger.uri,
                model_version=challenger.model and challenger.model.identity.version,
                last_reload=_last(challenger.last_reload),
            ),
        )


def _add_operation(app: FastAPI, holder: Holder) -> None:
    @app.get(
        "/health",
        operation_id="health",
        summary="Whether decisions can be made, and by which model",
        tags=["operation"],
        responses=problems(500, 503),
    )
    async def health() -> Health:
        serving = _serving(holder)
        return Health(status="ok", model_uri=serving.uri, model_version=serving.model.identity.version)

    @app.get("/livez", operation_id="livez", summary="The process answers", tags=["operation"], responses=problems(500))
    async def livez() -> Status:
        return Status(status="alive")

    @app.get(
        "/readyz",
        operation_id="readyz",
        summary="A model is loaded and the server stays",
        tags=["operation"],
        responses=problems(500, 503),
    )
    async def readyz(request: Request) -> Status:
        if getattr(request.state, "draining", False):
            retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            raise HTTPException(503, "this server is stopping; another one answers", retry)
        _serving(holder)
        return Status(status="ready")

    @app.get(
        "/boom",
        operation_id="boom",
        summary="Fails with 500 on purpose, to see that alerts fire",
        tags=["operation"],
        status_code=500,
        response_class=Response,
        responses=problems(500),
    )
    async def boom() -> Response:
        raise HTTPException(500, "boom")


def _instrument(app: FastAPI, metrics: Metrics) -> None:
    instrumentator = Instrumentator(
        should_group_status_codes=False,
        excluded_handlers=["^/metrics$", "^/livez$", "^/readyz$"],
        registry=metrics.registry,
    )

    def count(info: Info) -> None:
        metrics.http_requests.labels(info.modified_handler, info.method, info.modified_status).inc()
        metrics.http_request_duration.labels(info.modified_handler, info.method).observe(info.modified_duration)

    instrumentator.add(count)
    instrumentator.instrument(app).expose(
        app,
        operation_id="metrics",
        summary="Metrics for Prometheus",
        tags=["operation"],
        response_class=PlainTextResponse,
        responses=problems(500),
    )
