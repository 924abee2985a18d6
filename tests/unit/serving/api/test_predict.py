import asyncio

from app.metrics import Metrics
from app.policy_file import load_policy
from app.serving.api.batches import answer_batch
from app.serving.api.predict import decide
from app.serving.api.schema import BatchAnswer, PredictAnswer
from app.serving.live.holder import Holder, Snapshot
from app.serving.record.recorder import RequestContext
from app.settings import Settings
from tests.support.fakes import constant_model

CONTEXT = RequestContext("request", None)
VECTOR = [0.0, 0.0, 40.0, *[0.0] * 8]
BEYOND = [0.0, 101.0, 40.0, *[1.0] * 8]


def snapshot_of(probability: float) -> tuple[Snapshot, Metrics]:
    settings = Settings()
    policy = load_policy(settings)
    metrics = Metrics(policy.threshold)
    holder = Holder(settings, policy, metrics)
    holder.take(constant_model(probability))
    return holder.snapshot(), metrics


def counted(metrics: Metrics, decision: str) -> float | None:
    return metrics.registry.get_sample_value("credit_decisions_total", {"decision": decision, "model_version": "1"})


def test_an_answer_says_what_it_was_made_with() -> None:
    made = PredictAnswer.model_validate(decide(snapshot_of(0.3)[0], BEYOND, None, CONTEXT)[0])
    assert (made.decision, made.threshold, made.model_version) == ("REJECT", 0.05, "1")
    assert made.model_uri == "models:/credit-default-model@production"
    assert made.out_of_range == ["RevolvingUtilizationOfUnsecuredLines"]


def test_each_decision_is_counted_once() -> None:
    low, metrics = snapshot_of(0.01)
    decide(low, VECTOR, None, CONTEXT)
    asyncio.run(answer_batch(low, [VECTOR, VECTOR], None, CONTEXT))
    assert (counted(metrics, "ACCEPT"), counted(metrics, "REJECT")) == (3, 0)


def test_a_batch_answers_in_the_order_of_its_rows_as_single_requests_would() -> None:
    model = snapshot_of(0.3)[0]
    made = BatchAnswer.model_validate(asyncio.run(answer_batch(model, [VECTOR, BEYOND], None, CONTEXT)))
    singles = [PredictAnswer.model_validate(decide(model, vector, None, CONTEXT)[0]) for vector in (VECTOR, BEYOND)]
    assert [(it.probability, it.decision, it.reasons, it.out_of_range) for it in made.predictions] == [
        (it.probability, it.decision, it.reasons, it.out_of_range) for it in singles
    ]
    assert made.policy_version == singles[0].policy_version


def test_a_refusal_has_reasons_which_are_counted_and_an_acceptance_has_none() -> None:
    refusing, metrics = snapshot_of(0.3)
    refused = PredictAnswer.model_validate(decide(refusing, VECTOR, None, CONTEXT)[0])
    accepted = PredictAnswer.model_validate(decide(snapshot_of(0.01)[0], VECTOR, None, CONTEXT)[0])
    assert [(it.code, it.feature) for it in refused.reasons] == [("REASONS_ON_REQUEST", None)]
    assert accepted.reasons == []
    assert metrics.registry.get_sample_value("credit_reasons_total", {"code": "REASONS_ON_REQUEST"}) == 1


def test_a_batch_lets_others_run_before_it_is_done() -> None:
    async def both() -> list[str]:
        order: list[str] = []

        async def batch() -> None:
            await answer_batch(snapshot_of(0.3)[0], [VECTOR] * 20_000, None, CONTEXT)
            order.append("batch")

        async def other() -> None:
            order.append("other")

        await asyncio.gather(batch(), other())
        return order

    assert asyncio.run(both()) == ["other", "batch"]
