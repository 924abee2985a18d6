"""What is compared: how each server is started, what it is asked, and where its answer has the probability."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from harness.fields import CONTRACT
from harness.servers import free_port
from loadtests.bench.environments import programs_of
from loadtests.bench.trained import Applicants, Row, Trained, bare_environment
from scripts.credit import PROGRAM

UVICORN = ["-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--port"]
SERVICE = "this service"


@dataclass(frozen=True, slots=True)
class Contender:
    """One server in one process, or as few as it can be run with."""

    name: str
    command: Callable[[int], list[str]]
    """For a port."""
    environment: Mapping[str, str]
    path: str
    ready: str
    """The path that answers 200 once it is."""
    body: Callable[[Row], Any]
    probability: Callable[[Any], float] | None
    """In its answer; None when it gives none."""
    loads: tuple[str, ...] = field(default=("mix",))
    """Names of the applicants of Trained that it is asked about."""
    asks: Callable[[Applicants], Sequence[Row]] = attrgetter("factors")
    """What of them the body is made of."""


def _ours(row: Row) -> Any:
    return {"data": {"features": list(row)}}


def service(trained: Trained, *, record: bool, to_disk: bool = False) -> Contender:
    """This service as it is by default, with the record of its decisions or without.

    to_disk: whether answers wait until the disk has them.
    """
    switch = ("on, on disk" if to_disk else "on") if record else "off"
    # With a cache of its own it is ready when its pull has ended, not while one that would be measured goes on.
    variables = {
        "AUDIT__ENABLED": str(record).lower(),
        "AUDIT__DURABILITY": "disk" if to_disk else "kernel",
        "SERVING__CACHE_DIR": str(trained.folder / f"models-{switch}"),
    }
    return Contender(
        f"{SERVICE}, record {switch}",
        lambda port: [PROGRAM, "serve", "--port", str(port)],
        trained.environment | variables,
        "/predict",
        "/readyz",
        _ours,
        lambda answer: float(answer["probability"]),
        loads=("accepted", "mix"),
        asks=attrgetter("rows"),
    )


def bare(_: Trained) -> Contender:
    app = "loadtests.bench.peers.bare:app"
    command = partial(_uvicorn, app)
    asks = attrgetter("rows")
    return Contender("bare uvicorn", command, bare_environment(), "/predict", "/", _ours, None, asks=asks)


def plain(trained: Trained) -> Contender:
    return Contender(
        "plain FastAPI",
        partial(_uvicorn, "loadtests.bench.peers.plain:app"),
        _with_model(trained),
        "/predict",
        "/livez",
        _ours,
        lambda answer: float(answer["probability"]),
    )


def _uvicorn(app: str, port: int) -> list[str]:
    return [sys.executable, *UVICORN, str(port), app]


def _with_model(trained: Trained) -> dict[str, str]:
    return bare_environment() | {"BENCH_MODEL": str(trained.pickled)}


def mlflow(trained: Trained) -> Contender:
    programs = Path(sys.executable).parent
    environment = bare_environment()
    command = [str(programs / "mlflow"), "models", "serve", "--model-uri", str(trained.mlflow_model)]
    command += ["--env-manager", "local", "--workers", "1", "--host", "127.0.0.1", "--port"]
    return Contender(
        "mlflow models serve",
        lambda port: [*command, str(port)],
        environment | {"PATH": f"{programs}:{environment['PATH']}"},
        "/invocations",
        "/ping",
        lambda row: {"dataframe_split": {"columns": list(CONTRACT.factor_names), "data": [list(row)]}},
        lambda answer: float(answer["predictions"][0][1]),
    )


def mlserver(trained: Trained) -> Contender:
    programs = programs_of("mlserver")
    settings = {"MODEL_NAME": "credit", "MODEL_IMPLEMENTATION": "mlserver_sklearn.SKLearnModel"}
    ours = {"HOST": "127.0.0.1", "PARALLEL_WORKERS": "0", "DEBUG": "false"}

    def command(port: int) -> list[str]:
        ports = {"HTTP_PORT": port, "GRPC_PORT": free_port(), "METRICS_PORT": free_port()}
        variables = [f"MLSERVER_{name}={value}" for name, value in ports.items()]
        return ["env", *variables, str(programs / "mlserver"), "start", str(trained.folder / "mlserver")]

    (trained.folder / "mlserver").mkdir(exist_ok=True)
    variables = {
        f"MLSERVER_{name}": value for name, value in (ours | settings | {"MODEL_URI": str(trained.pickled)}).items()
    }
    return Contender(
        "MLServer",
        command,
        bare_environment() | variables,
        "/v2/models/credit/infer",
        "/v2/health/ready",
        lambda row: {
            "inputs": [{"name": "rows", "shape": [1, len(row)], "datatype": "FP64", "data": list(row)}],
            "outputs": [{"name": "predict_proba"}],
        },
        lambda answer: float(answer["outputs"][0]["data"][1]),
    )


def bentoml(trained: Trained) -> Contender:
    command = [str(programs_of("bentoml") / "bentoml"), "serve", "loadtests.bench.peers.bento:Scorer"]
    return Contender(
        "BentoML",
        lambda port: [*command, "--host", "127.0.0.1", "--port", str(port)],
        _with_model(trained) | {"BENTOML_HOME": str(trained.folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "true"},
        "/predict",
        "/readyz",
        lambda row: {"features": list(row)},
        float,
    )


def kserve(trained: Trained) -> Contender:
    command = [str(programs_of("kserve") / "python"), "-m", "loadtests.bench.peers.kserving"]
    for option in ("--enable_grpc", "--enable_latency_logging", "--configure_logging"):
        command += [option, "false"]
    return Contender(
        "KServe",
        lambda port: [*command, "--http_port", str(port)],
        _with_model(trained),
        "/v1/models/credit:predict",
        "/v1/models/credit",
        lambda row: {"instances": [list(row)]},
        lambda answer: float(answer["predictions"][0][1]),
    )


CONTENDERS: dict[str, Callable[[Trained], Contender]] = {
    "bare": bare,
    "record": partial(service, record=True),
    "on-disk": partial(service, record=True, to_disk=True),
    "no-record": partial(service, record=False),
    "fastapi": plain,
    "mlflow": mlflow,
    "mlserver": mlserver,
    "bentoml": bentoml,
    "kserve": kserve,
}
"""By the name that the command line takes. Each raises NotInstalled where its environment cannot be made."""
