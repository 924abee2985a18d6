"""The routes: each reads, calls and answers; what an answer means is decided elsewhere."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.telemetry import TelemetryConfig
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from app.contract.contract import Contract
from app.metrics import Metrics
from app.serving.api.batches import answer_batch, encoded
from app.serving.api.decisions import add_records
from app.serving.api.docs_page import docs_router, document_of
from app.serving.api.explain import add_explain
from app.serving.api.idempotency import PARAMETER, Idempotency
from app.serving.api.openapi import KEPT, body, problems
from app.serving.api.outcome_intake import add_outcomes
from app.serving.api.predict import Predict, decided
from app.serving.api.reading import Reader
from app.serving.api.schema import (
    BatchAnswer,
    Challenging,
    Health,
    LastReload,
    Meta,
    PredictAnswer,
    ProbeAnswer,
    Registry,
    factor_of,
    position_of,
)
from app.serving.doors.doorway import Deciding
from app.serving.doors.mlflow_scoring import add_mlflow_scoring
from app.serving.doors.open_inference import add_open_inference
from app.serving.http.edge import IDEMPOTENCY_KEY, Edge, EdgeMiddleware
from app.serving.http.media import require_json
from app.serving.http.messages import Answered, header_values, response_of
from app.serving.http.problems import add_problem_handlers, unavailable
from app.serving.http.request_ids import current_request_id, current_trace_id
from app.serving.live.challenger import Challenger
from app.serving.live.holder import Holder
from app.serving.live.reloads import Reload
from app.serving.record.recorder import Recorder, RequestContext
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
    reader: Reader,
    holder: Holder,
    challenger: Challenger,
    recorder: Recorder | None,
    predict: Predict,
    edge: Edge,
    metrics: Metrics,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """The API over whatever the holder serves.

    reader: of the service's contract. recorder: None where decisions are not kept.
    """
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan, telemetry=NO_TELEMETRY)
    add_problem_handlers(app)
    app.openapi = document_of(app, reader.types)  # type: ignore[method-assign]
    app.include_router(docs_router())
    _add_decisions(app, reader, holder, challenger, recorder, predict, Idempotency(settings))
    add_explain(app, reader, holder)
    add_records(app, settings, reader)
    add_outcomes(app, settings, reader)
    deciding = Deciding(reader, holder, challenger, recorder)
    add_open_inference(app, deciding)
    add_mlflow_scoring(app, deciding)
    _add_model(app, settings, reader.contract, holder, challenger)
    _add_operation(app, holder)
    _add_metrics(app, metrics)
    app.add_middleware(EdgeMiddleware, edge=edge)
    return app


def _add_decisions(
    app: FastAPI,
    reader: Reader,
    holder: Holder,
    challenger: Challenger,
    recorder: Recorder | None,
    predict: Predict,
    idempotency: Idempotency,
) -> None:
    @app.post(
        "/predict",
        operation_id="predict",
        summary="Decide on one applicant",
        tags=["decisions"],
        response_model=PredictAnswer,
        responses=KEPT | problems(400, 408, 409, 413, 415, 422, 500, 503),
        openapi_extra=body("PredictRequest", reader.types) | {"parameters": [PARAMETER]},
    )
    async def predict_one(request: Request) -> Response:
        headers = header_values(request.headers.raw)
        # Before a client that waits to be told so sends a body in vain.
        require_json(headers)
        content, caller = await request.body(), request.scope["caller"]

        async def decide() -> Answered:
            answered = predict(headers, content, caller)
            if recorder is not None and answered[0] == 200:
                await recorder.on_disk()
            return answered

        if IDEMPOTENCY_KEY not in headers:
            return response_of(await decide())
        return response_of(await idempotency.answer(headers, caller, "/predict", content, decide))

    @app.post(
        "/predict/batch",
        operation_id="predict_batch",
        summary="Decide on up to 10 000 applicants, all of them or none",
        tags=["decisions"],
        response_model=BatchAnswer,
        responses=problems(400, 408, 409, 413, 415, 422, 500, 503),
        openapi_extra=body("BatchRequest", reader.types) | {"parameters": [PARAMETER]},
    )
    async def predict_batch(request: Request) -> Response:
        headers = header_values(request.headers.raw)
        require_json(headers)
        content, caller = await request.body(), request.scope["caller"]
        afterwards: BackgroundTask | None = None

        async def decide() -> Answered:
            nonlocal afterwards
            rows, application_ids = reader.rows(content)
            snapshot = holder.snapshot()
            context = RequestContext(current_request_id(), caller, current_trace_id())
            answer = await answer_batch(snapshot, rows, recorder, context, application_ids)
            if recorder is not None:
                await recorder.on_disk()
            afterwards = challenger.after(snapshot, rows, answer["predictions"])
            return decided(snapshot, await encoded(answer), None)

        if IDEMPOTENCY_KEY in headers:
            answered = await idempotency.answer(headers, caller, "/predict/batch", content, decide)
        else:
            answered = await decide()
        return response_of(answered, afterwards)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _last(reload: Reload | None) -> LastReload | None:
    return None if reload is None else LastReload(outcome=reload.outcome, at=_utc(reload.at), reason=reload.reason)


def _add_model(app: FastAPI, settings: Settings, contract: Contract, holder: Holder, challenger: Challenger) -> None:
    positions = [position_of(at, each) for at, each in enumerate(contract.fields)]

    @app.get("/meta", operation_id="meta", summary="The model that is loaded", tags=["model"], responses=problems(500))
    async def meta() -> Meta:
        snapshot, contact = holder.serving, holder.registry
        document = None if snapshot is None else snapshot.model.document
        return Meta(
            model_uri=settings.mlflow.model_uri,
            threshold=holder.policy.threshold,
            review=holder.policy.review,
            policy_version=holder.policy.version,
            n_features_expected=len(positions),
            contract_version=contract.version,
            git_commit=settings.git_commit,
            model_version=document and document.identity.version,
            features=positions,
            factors=document and [factor_of(each) for each in document.contract.factors],
            run_id=document and document.identity.run_id,
            digest=document and document.identity.digest,
            loaded_at=snapshot and _utc(snapshot.loaded_at),
            trained_at=document and _utc(document.identity.trained_at),
            figures=document and document.figures,
            warnings=snapshot and snapshot.warnings,
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
        snapshot = holder.snapshot()
        return Health(status="ok", model_uri=snapshot.uri, model_version=snapshot.model.identity.version)

    @app.get("/livez", operation_id="livez", summary="The process answers", tags=["operation"], responses=problems(500))
    async def livez() -> ProbeAnswer:
        return ProbeAnswer(status="alive")

    @app.get(
        "/readyz",
        operation_id="readyz",
        summary="A model is loaded and the server stays",
        response_model=ProbeAnswer,
        tags=["operation"],
        responses=problems(500, 503),
    )
    async def readyz(request: Request) -> ProbeAnswer | Response:
        if getattr(request.state, "draining", False):
            return response_of(unavailable("this server is stopping; another one answers"))
        holder.snapshot()
        return ProbeAnswer(status="ready")

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


def _add_metrics(app: FastAPI, metrics: Metrics) -> None:
    Instrumentator(registry=metrics.registry).expose(
        app,
        operation_id="metrics",
        summary="Metrics for Prometheus",
        tags=["operation"],
        response_class=PlainTextResponse,
        responses=problems(500),
    )
