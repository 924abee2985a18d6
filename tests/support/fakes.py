"""Fakes named after what they do, and the smallest models that behave as a test needs."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from app.callers.known import Caller, Callers, Scope, digest_of
from app.contract_file import load_contract
from app.metrics import Metrics
from app.models.cache import ModelCache
from app.policy_file import load_policy
from app.scoring.forms.extract import Spec
from app.scoring.model import Identity, ModelDocument, ScoringModel
from app.serving.api.predict import Predict
from app.serving.api.reading import Reader
from app.serving.api.routes import create_app
from app.serving.http.edge import Edge
from app.serving.live.admission import Admission
from app.serving.live.challenger import Challenger
from app.serving.live.holder import Holder
from app.serving.record.recorder import Recorder, recorder_of
from app.settings import MlflowSettings, ServingSettings, Settings
from harness.fields import CONTRACT
from harness.population import reference
from harness.servers import audit_in
from harness.waiting import PATIENCE_SECONDS

DATA = Path(__file__).parent.parent / "data"
NAME = "credit-default-model"


def json_file(name: str) -> Any:
    """A file of tests/data."""
    return json.loads((DATA / name).read_text())


def constant_spec(probability: float) -> Spec:
    """One tree of one leaf: the same probability for everybody."""
    leaf: Spec = {"leaf": [True], "value": [0.0], "feature": [0], "threshold": [0.0]}
    leaf |= {"missing_left": [False], "left": [0], "right": [0]}
    baseline = log(probability / (1 - probability))
    return {"kind": "boosted_trees", "inputs": len(CONTRACT.factors), "baseline": baseline, "trees": [leaf]}


def constant_document(probability: float, version: str = "1") -> ModelDocument:
    """A model that gives everybody one probability."""
    identity = Identity(
        name=NAME,
        version=version,
        uri=f"models:/{NAME}/{version}",
        run_id=f"run{version}",
        digest=f"{version:0>64}",
        trained_at=1_700_000_000.0,
    )
    return ModelDocument(identity, CONTRACT, constant_spec(probability), reference(), {"held_out_auc": 0.86})


def constant_model(probability: float, version: str = "1") -> ScoringModel:
    """As constant_document, ready to score."""
    return ScoringModel.compiled(constant_document(probability, version))


def failing_model(message: str, version: str = "1") -> ScoringModel:
    """A model whose every score raises with that message."""

    def scorer(_: object) -> float:
        raise ArithmeticError(message)

    # Without a population: its reference applicant would be scored before the model serves.
    return ScoringModel(replace(constant_document(0.5, version), reference=None), scorer)


def cached_model(settings: Settings, document: ModelDocument, answers_uri: bool = True) -> Path:
    """An entry in the settings' cache, as a pull leaves it; answers_uri: and as what served last."""
    cache = ModelCache(settings.serving.cache_dir)
    with cache.staging() as folder:
        entry = cache.commit(folder, document)
    if answers_uri:
        cache.remember(settings.mlflow.model_uri, entry)
    return entry


def settings_for(folder: Path, **mlflow: str) -> Settings:
    """Settings whose cache lies in that folder, with quick polls."""
    serving = ServingSettings(cache_dir=folder / "cache", poll_seconds=0.1, pull_timeout_seconds=PATIENCE_SECONDS)
    tracking = {"tracking_uri": f"sqlite:///{folder / 'mlflow.db'}", **mlflow}
    return Settings(serving=serving, mlflow=MlflowSettings(**tracking), audit=audit_in(folder))


def caller(name: str, key: str, *scopes: Scope) -> Caller:
    """A caller with that key."""
    return Caller(name, digest_of(key.encode()), frozenset(scopes))


def mounted(folder: Path, name: str, version: str, content: str) -> None:
    """Put a file into a folder as the kubelet updates a mount: a new folder, and a link that is moved to it."""
    (folder / version).mkdir(parents=True)
    (folder / version / name).write_text(content)
    (folder / "..next").symlink_to(version)
    (folder / "..next").rename(folder / "..data")
    if not (folder / name).is_symlink():
        (folder / name).symlink_to(f"..data/{name}")


class Api:
    """The API in this process, with a model or without.

    recorded: whether it keeps its decisions in the journal of its settings.
    """

    def __init__(
        self,
        model: ScoringModel | None = None,
        settings: Settings | None = None,
        callers: Callers | None = None,
        recorded: bool = False,
    ) -> None:
        self.settings = settings or Settings()
        self.policy = load_policy(self.settings)
        self.metrics = Metrics(self.policy.threshold)
        self.holder = Holder(self.settings, self.policy, self.metrics)
        self.recorder: Recorder | None = recorder_of(self.settings, self.metrics) if recorded else None
        self.challenger = Challenger(self.settings, self.metrics, self.recorder)
        self.admission = Admission(callers, self.metrics)
        reader = Reader(load_contract(self.settings), self.settings.audit.require_application_id)
        predict = Predict(reader, self.holder, self.challenger, self.recorder)
        self.edge = Edge(self.metrics, self.admission, predict, self.recorder is not None and self.recorder.waits)
        self.app: FastAPI = create_app(
            self.settings, reader, self.holder, self.challenger, self.recorder, predict, self.edge, self.metrics
        )
        if model is not None:
            self.holder.take(model)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, json: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.request("POST", path, json=json, headers=headers)

    def request(self, method: str, path: str, **keywords: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, **keywords)

        return asyncio.run(ask())
