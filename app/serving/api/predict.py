"""POST /predict: from headers and body to the whole answer, for whichever way a request comes."""

from typing import Any

from pydantic_core import to_json

from app.scoring.decider import Decision
from app.serving.api.reading import Reader
from app.serving.http.media import require_json
from app.serving.http.messages import NO_STORE, Answered, Headers, HeaderValues, answer_of
from app.serving.http.problems import REFUSALS, problem_of
from app.serving.http.request_ids import current_request_id, current_trace_id
from app.serving.live.challenger import Challenger
from app.serving.live.holder import Holder, Snapshot
from app.serving.record.recorder import Recorder, RequestContext


class Predict:
    """Decides, keeps, counts and answers; what follows from the key and the size of a request is decided before.

    reader: of the service's contract. recorder: None where decisions are not kept.
    """

    def __init__(self, reader: Reader, holder: Holder, challenger: Challenger, recorder: Recorder | None) -> None:
        self._reader = reader
        self._holder = holder
        self._challenger = challenger
        self._recorder = recorder

    def __call__(self, headers: HeaderValues, body: bytes, caller: str | None) -> Answered:
        """The answer, a refusal included: 415, 422, or 503 without a model or where a decision cannot be kept.

        caller: the name that the API key belongs to, None where nobody needs one.
        """
        try:
            require_json(headers)
            vector, application_id = self._reader.read(body)
            snapshot = self._holder.snapshot()
            context = RequestContext(current_request_id(), caller, current_trace_id())
            row, content = decide(snapshot, vector, self._recorder, context, application_id)
        except REFUSALS as error:
            return problem_of(error)
        self._challenger.offer(snapshot, [vector], [row])
        return decided(snapshot, content, row["decision_id"])


def decide(
    snapshot: Snapshot,
    vector: list[float],
    recorder: Recorder | None,
    context: RequestContext,
    application_id: str | None = None,
) -> tuple[dict[str, Any], bytes]:
    """As app.serving.api.schema.PredictAnswer, and that as JSON; raises JournalFailed.

    vector: the wire vector, NaN where a value is missing. recorder: None where decisions are not kept.
    """
    decision = snapshot.decider.decide(vector)
    row = row_of(snapshot, vector, decision)
    if recorder is not None:
        entry = recorder.entry(snapshot, context, vector, row, application_id)
        if recorder.keep(snapshot.policy, [entry]):
            row["decision_id"] = entry.key
    # Only what will be answered is counted.
    snapshot.metrics.observe(vector, decision, row["out_of_range"])
    told = row | snapshot.named
    return told, to_json(told)


def row_of(snapshot: Snapshot, vector: list[float], decision: Decision) -> dict[str, Any]:
    """As app.serving.api.schema.RowDecision, before it is kept."""
    return {
        "decision_id": None,
        "probability": decision.probability,
        "decision": decision.verdict,
        "reasons": [{"code": it.code, "feature": it.feature, "text": it.text} for it in decision.reasons],
        "out_of_range": snapshot.model.out_of_range(vector),
    }


def decided(snapshot: Snapshot, content: bytes, decision_id: str | None) -> Answered:
    """The answer with that JSON. decision_id: what a single decision is kept under, which a header says too."""
    headers: Headers = [NO_STORE, (b"x-model-version", snapshot.model.identity.version.encode())]
    if decision_id is not None:
        headers.append((b"x-decision-id", decision_id.encode()))
    return answer_of(200, headers, content)
