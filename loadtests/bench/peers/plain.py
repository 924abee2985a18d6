"""Plain FastAPI with the same work: a pydantic model of the body, metrics, predict_proba; without reasons."""

import os
from typing import Annotated

import joblib
import numpy as np
from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import BaseModel, Field

model = joblib.load(os.environ["BENCH_MODEL"])
app = FastAPI()
Instrumentator().instrument(app).expose(app)


class Data(BaseModel):
    features: Annotated[list[float | None], Field(min_length=1, max_length=500)]


class Asked(BaseModel):
    data: Data


class Answered(BaseModel):
    probability: float
    decision: str


# On the loop: the work is shorter than the way to a thread and back.
@app.post("/predict")
async def predict(asked: Asked) -> Answered:
    probability = float(model.predict_proba(np.array([asked.data.features], dtype=np.float64))[0, 1])
    return Answered(probability=probability, decision="REJECT" if probability >= 0.05 else "ACCEPT")


@app.get("/livez")
async def livez() -> str:
    return "alive"
