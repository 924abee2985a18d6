"""The Open Inference Protocol, version 2, over REST: what KServe's, MLServer's and Triton's clients speak."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from fastapi import FastAPI, Request
from pydantic_core import from_json, to_json
from starlette.responses import Response

from app import __version__
from app.contract.fields import Field
from app.serving.doors.doorway import Deciding, DoorInvalid
from app.serving.http.media import require_json
from app.serving.http.messages import NO_STORE, Answered, HeaderValues, answer_of, header_values, response_of
from app.serving.http.problems import REFUSALS, problem_of

SERVER = "credit-default-decisions"
TENSOR, APPLICATIONS = "features", "application_id"
"""Inputs that are no field: every field in one tensor, and the applications' own ids."""
OUTPUTS = {"probability": "FP64", "decision": "BYTES", "reasons": "BYTES", "decision_id": "BYTES"}
NUMBERS = {f"{kind}{bits}" for kind in ("INT", "UINT") for bits in (8, 16, 32, 64)} | {"FP32", "FP64"}
TEXTS = {"BYTES"}


class NotServed(Exception):
    """Names what is served instead."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input, its values in one row-major list."""

    name: str
    shape: list[int]
    values: list[Any]


def add_open_inference(app: FastAPI, deciding: Deciding) -> None:
    """The routes below /v2, which say {"error": …} of what goes wrong."""

    def served() -> dict[str, str]:
        identity = deciding.holder.snapshot().model.identity
        return {"name": identity.name, "version": identity.version}

    _add_server(app, served)
    _add_models(app, deciding, served)


def _add_server(app: FastAPI, served: Callable[[], dict[str, str]]) -> None:
    @app.get("/v2", include_in_schema=False)
    async def server() -> Response:
        return _json({"name": SERVER, "version": __version__, "extensions": []})

    @app.get("/v2/health/live", include_in_schema=False)
    async def live() -> Response:
        return _json({"live": True})

    @app.get("/v2/health/ready", include_in_schema=False)
    async def ready() -> Response:
        async def tell() -> Any:
            served()
            return {"ready": True}

        return await _told(tell)


def _add_models(app: FastAPI, deciding: Deciding, served: Callable[[], dict[str, str]]) -> None:
    @app.get("/v2/models", include_in_schema=False)
    async def models() -> Response:
        async def tell() -> Any:
            return {"models": [served()["name"]]}

        return await _told(tell)

    @app.get("/v2/models/{path:path}", include_in_schema=False)
    async def model(request: Request, path: str) -> Response:
        async def tell() -> Any:
            is_ready = path.endswith("/ready")
            _require(served(), path.removesuffix("/ready"))
            return {"name": served()["name"], "ready": True} if is_ready else _metadata(served(), deciding)

        return await _told(tell)

    @app.post("/v2/models/{path:path}", include_in_schema=False)
    async def infer(request: Request, path: str) -> Response:
        async def tell() -> Any:
            _require_json(header_values(request.headers.raw))
            content = await request.body()
            if not path.endswith("/infer"):
                raise NotServed(f"nothing is posted here but to /v2/models/{served()['name']}/infer")
            _require(served(), path.removesuffix("/infer"))
            return await _infer(deciding, _object(content), request.scope["caller"])

        return await _told(tell)


def _require_json(headers: HeaderValues) -> None:
    # Triton's client says nothing of what it sends; a browser's form always does.
    if b"content-type" in headers:
        require_json(headers)
    if b"inference-header-content-length" in headers:
        raise DoorInvalid("binary tensors are not taken; send the data as JSON")


async def _infer(deciding: Deciding, body: dict[str, Any], caller: str | None) -> dict[str, Any]:
    tensors = [_tensor(each) for each in _list(body.get("inputs"), "inputs")]
    rows, ids = _rows(deciding, tensors)
    wanted = [str(_object_of(each, "outputs").get("name")) for each in _list(body.get("outputs", []), "outputs")]
    if any(name not in OUTPUTS for name in wanted):
        raise DoorInvalid(f"outputs names what there is not; there are {', '.join(OUTPUTS)}")
    snapshot, made = await deciding.decide(rows, ids, caller)
    values = {
        "probability": [it["probability"] for it in made],
        "decision": [it["decision"] for it in made],
        "reasons": [json.dumps(it["reasons"]) for it in made],
        "decision_id": [it["decision_id"] or "" for it in made],
    }
    told = [
        {"name": name, "shape": [len(made)], "datatype": OUTPUTS[name], "data": values[name]}
        for name in wanted or OUTPUTS
    ]
    identity = snapshot.model.identity
    answer: dict[str, Any] = {"model_name": identity.name, "model_version": identity.version, "outputs": told}
    answer["parameters"] = {name: snapshot.named[name] for name in ("threshold", "policy_version")}
    if isinstance(body.get("id"), str):
        answer["id"] = body["id"]
    return answer


def _rows(deciding: Deciding, tensors: Sequence[Tensor]) -> tuple[list[list[Any]], list[Any] | None]:
    by_name = {it.name: it for it in tensors}
    if len(by_name) < len(tensors):
        raise DoorInvalid("inputs has two of one name")
    applications = by_name.pop(APPLICATIONS, None)
    ids = None if applications is None else [value or None for value in applications.values]
    width = len(deciding.reader.contract.fields)
    if [*by_name] == [TENSOR]:
        (tensor,) = by_name.values()
        if len(tensor.shape) != 2 or tensor.shape[1] != width:
            raise DoorInvalid(f"{TENSOR} must have the shape [rows, {width}]")
        starts = range(0, len(tensor.values), width)
        return [tensor.values[start : start + width] for start in starts], ids
    counts = {len(it.values) for it in by_name.values()}
    if len(counts) != 1 or any(prod(it.shape[1:]) != 1 for it in by_name.values()):
        raise DoorInvalid("every input must have the shape [rows] or [rows, 1], all of them as many rows")
    return deciding.rows_of({name: it.values for name, it in by_name.items()}, counts.pop()), ids


def _tensor(told: Any) -> Tensor:
    found = _object_of(told, "inputs")
    name, shape, kind, data = (found.get(key) for key in ("name", "shape", "datatype", "data"))
    if not isinstance(name, str) or not isinstance(shape, list) or not isinstance(data, list):
        raise DoorInvalid("each of inputs must have a name, a shape, a datatype and data")
    if not shape or not all(type(size) is int and size > 0 for size in shape):
        raise DoorInvalid("a shape must be a list of whole numbers above 0")
    if kind not in NUMBERS | TEXTS:
        raise DoorInvalid(f"a datatype must be one of {', '.join(sorted(NUMBERS | TEXTS))}")
    values = _flat(data)
    if len(values) != prod(shape):
        raise DoorInvalid("data must hold as many values as its shape says")
    return Tensor(name, shape, values)


def _flat(data: list[Any]) -> list[Any]:
    """Nested lists are row-major too."""
    while any(isinstance(each, list) for each in data):
        if not all(isinstance(each, list) for each in data):
            raise DoorInvalid("data must be nested evenly, or not at all")
        data = [value for each in data for value in each]
    return data


def _metadata(identity: dict[str, str], deciding: Deciding) -> dict[str, Any]:
    asked = deciding.reader.contract.asked
    inputs = [{"name": each.name, "datatype": _datatype(each), "shape": [-1]} for each in asked]
    outputs = [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in OUTPUTS.items()]
    about = {"name": identity["name"], "versions": [identity["version"]], "platform": "sklearn_mlflow"}
    return {**about, "inputs": inputs, "outputs": outputs}


def _datatype(field: Field) -> str:
    return "BYTES" if field.type == "category" else "FP64"


def _require(identity: dict[str, str], path: str) -> None:
    name, _, version = path.partition("/versions/")
    if name != identity["name"]:
        raise NotServed(f"the model that is served is {identity['name']}")
    if version and version != identity["version"]:
        raise NotServed(f"the version that is served is {identity['version']}")
    if "/versions/" in path and not version:
        raise NotServed("the version is missing")


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = from_json(content)
    except ValueError:
        raise DoorInvalid("the body must be JSON in UTF-8") from None
    return _object_of(found, "the body")


def _object_of(found: Any, what: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise DoorInvalid(f"{what} must hold objects" if what != "the body" else "the body must be an object")
    return found


def _list(found: Any, what: str) -> list[Any]:
    if not isinstance(found, list) or (what == "inputs" and not found):
        raise DoorInvalid(f"{what} must be a list")
    return found


async def _told(tell: Callable[[], Awaitable[Any]]) -> Response:
    try:
        return _json(await tell())
    except DoorInvalid as error:
        return _json({"error": str(error)}, 400)
    except NotServed as error:
        return _json({"error": str(error)}, 404)
    except REFUSALS as error:
        return response_of(_as_error(problem_of(error)))


def _as_error(refusal: Answered) -> Answered:
    """A problem in the protocol's own shape: what it says, and 400 of a body that cannot be read."""
    status, headers, content = refusal
    told = json.loads(content)
    details = "; ".join(each["detail"] for each in told.get("errors") or ()) or told["detail"]
    kept = [(name, value) for name, value in headers if name not in (b"content-length", b"content-type")]
    return answer_of(400 if status == 422 else status, kept, to_json({"error": details}))


def _json(told: Any, status: int = 200) -> Response:
    return response_of(answer_of(status, [NO_STORE], to_json(told)))
