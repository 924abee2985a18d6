"""The model as a BentoML service."""

import os

import bentoml  # type: ignore[import-not-found]
import joblib
import numpy as np


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Scorer:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["BENCH_MODEL"])

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, features: list[float | None]) -> float:
        return float(self.model.predict_proba(np.array([features], dtype=np.float64))[0, 1])
