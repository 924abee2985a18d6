"""POST /explain: what would be decided on an application, and what each factor does to it; nothing is kept."""

from dataclasses import asdict

from fastapi import FastAPI, Request
from starlette.responses import Response

from app.scoring.explaining import factor_effects
from app.serving.api.openapi import body, problems
from app.serving.api.reading import Reader
from app.serving.api.schema import ExplainedFactor, Explanation, Reason
from app.serving.http.media import require_json
from app.serving.http.messages import NO_STORE, answer_of, header_values, response_of
from app.serving.live.holder import Holder, Snapshot


def add_explain(app: FastAPI, reader: Reader, holder: Holder) -> None:
    """The route, for whoever may read the record: it tells how a model can be pleased."""

    @app.post(
        "/explain",
        operation_id="explain",
        summary="What would be decided, and what each factor does to it",
        tags=["decisions"],
        response_model=Explanation,
        responses=problems(400, 408, 413, 415, 422, 500, 503),
        openapi_extra=body("PredictRequest", reader.types),
    )
    async def explain(request: Request) -> Response:
        require_json(header_values(request.headers.raw))
        vector, _ = reader.read(await request.body())
        told = explained(holder.snapshot(), vector)
        return response_of(answer_of(200, [NO_STORE], told.model_dump_json().encode()))


def explained(snapshot: Snapshot, vector: list[float]) -> Explanation:
    """vector: the wire vector, NaN where a value is missing."""
    decision = snapshot.decider.decide(vector)
    effects = factor_effects(snapshot.decider, vector)
    return Explanation(
        probability=decision.probability,
        decision=decision.verdict,
        reasons=[Reason(**asdict(reason)) for reason in decision.reasons],
        out_of_range=snapshot.model.out_of_range(vector),
        factors=None if effects is None else [ExplainedFactor(**asdict(effect)) for effect in effects],
        **snapshot.named,
    )
