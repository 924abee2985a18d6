"""Wiring: `uvicorn app.serving.application:app`, or with the server's own settings `credit serve`."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from app.callers.file import load_callers
from app.contract_file import load_contract
from app.metrics import Metrics
from app.policy_file import load_policy
from app.serving.api.predict import Predict
from app.serving.api.reading import Reader
from app.serving.api.routes import create_app
from app.serving.http.edge import Edge
from app.serving.http.logs import configure_logging
from app.serving.http.tracing import spans_of
from app.serving.live.admission import Admission, CallersWatch
from app.serving.live.challenger import Challenger
from app.serving.live.follower import followers_of
from app.serving.live.holder import Holder
from app.serving.live.policy_watch import PolicyWatch
from app.serving.record.recorder import recorder_of
from app.serving.record.shipping import Shipping
from app.settings import Settings, load_settings

SWITCH_SECONDS = 0.001
"""How long the thread that reads and compiles a new model may keep a request waiting at once; Python's own is 5 ms."""


def build(settings: Settings) -> FastAPI:
    """The API with models, policy and callers kept up to date beside it, and its decisions brought to the database,
    for as long as the server runs.

    Raises ContractInvalid, PolicyInvalid, CallersInvalid.
    """
    reader = Reader(load_contract(settings), settings.audit.require_application_id)
    policy = load_policy(settings)
    callers_file = settings.callers.file
    metrics = Metrics(policy.threshold)
    recorder = recorder_of(settings, metrics)
    acted = None if recorder is None else recorder.keep_act
    holder = Holder(settings, policy, metrics, replaced=acted)
    challenger = Challenger(settings, metrics, recorder)
    admission = Admission(load_callers(settings), metrics, str(callers_file), acted)
    shipping = Shipping(settings, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        configure_logging(settings.serving.log_level)
        # Modules and routes stay for good; the collections that follow need not look through them.
        gc.freeze()
        sys.setswitchinterval(SWITCH_SECONDS)
        admission.tell_all()
        following = [follower.run() for follower in followers_of(settings, holder, challenger)]
        keepers = [challenger.run(), PolicyWatch(settings, holder).run(), *following]
        if callers_file is not None:
            keepers.append(CallersWatch(callers_file, admission, settings.serving.poll_seconds).run())
        if recorder is not None:
            keepers.append(shipping.run())
        tasks = [asyncio.create_task(keeper) for keeper in keepers]
        yield {"edge": edge}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if recorder is not None:
            recorder.close()
            await shipping.stop()
        if spans is not None:
            await asyncio.to_thread(spans.close)

    predict = Predict(reader, holder, challenger, recorder)
    spans = spans_of(settings.tracing)
    edge = Edge(metrics, admission, predict, recorder is not None and recorder.waits, spans)
    return create_app(settings, reader, holder, challenger, recorder, predict, edge, metrics, lifespan)


app = build(load_settings())
