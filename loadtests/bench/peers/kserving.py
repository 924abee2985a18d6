"""The model as a KServe model, as KServe's server for scikit-learn has it; run with the options of ModelServer."""

import os
from typing import Any

import joblib
from kserve import Model, ModelServer  # type: ignore[import-not-found]
from kserve.utils.utils import get_predict_input, get_predict_response  # type: ignore[import-not-found]


class Scorer(Model):  # type: ignore[misc]
    def load(self) -> bool:
        self._model = joblib.load(os.environ["BENCH_MODEL"])
        self.ready = True
        return self.ready

    def predict(self, payload: Any, headers: dict[str, str] | None = None) -> Any:
        result = self._model.predict_proba(get_predict_input(payload))
        return get_predict_response(payload, result, self.name)


if __name__ == "__main__":
    model = Scorer("credit")
    model.load()
    ModelServer().start([model])
