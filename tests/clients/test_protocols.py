"""The Open Inference Protocol as the clients of KServe, MLServer and Triton speak it, each in its own environment."""

import json
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness.servers import Server
from loadtests.bench.environments import NotInstalled, programs_of
from tests.clients.test_generated import ran

pytestmark = pytest.mark.clients

NAME = "credit-default-model"
ROWS = [[0, 0.31, 52, 0, 0.36, 5400, 8, 0, 1, 0, 1], [0, 1.2, 24, 3, 2.0, 900, 12, 2, 0, 1, 4]]

KSERVE = """
import asyncio, json, sys
import httpx
from kserve import InferInput, InferRequest, InferenceRESTClient, RESTConfig

async def ask(url, name, rows):
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url) and await client.is_server_ready(url)
    assert await client.is_model_ready(url, name)
    values = InferInput("features", [len(rows), len(rows[0])], "FP64", data=[it for row in rows for it in row])
    answer = await client.infer(url, InferRequest(model_name=name, infer_inputs=[values], request_id="one"), name)
    told = {it.name: it.data for it in answer.outputs}
    wrong = InferInput("features", [1, 1], "FP64", data=[0.0])
    try:
        await client.infer(url, InferRequest(model_name=name, infer_inputs=[wrong]), name)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
    # Its own reading of an answer leaves the version out.
    return {"told": told, "status": status}

print(json.dumps(asyncio.run(ask(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))))
"""

MLSERVER = """
import json, sys, urllib.error, urllib.request
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceErrorResponse, InferenceRequest, InferenceResponse, MetadataModelResponse
from mlserver.types import MetadataServerResponse
import numpy as np

url, name, rows = sys.argv[1], sys.argv[2], np.array(json.loads(sys.argv[3]))

def asked(path, body=None):
    data = None if body is None else body.model_dump_json(exclude_none=True).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()

MetadataServerResponse.model_validate_json(asked("/v2")[1])
model = MetadataModelResponse.model_validate_json(asked(f"/v2/models/{name}")[1])
request = InferenceRequest(inputs=[NumpyCodec.encode_input("features", rows)], id="one")
answer = InferenceResponse.model_validate_json(asked(f"/v2/models/{name}/infer", request)[1])
told = {}
for it in answer.outputs:
    codec = StringCodec if it.datatype == "BYTES" else NumpyCodec
    told[it.name] = np.asarray(codec.decode_output(it)).ravel().tolist()
wrong = InferenceRequest(inputs=[NumpyCodec.encode_input("features", rows[:, :1])])
status, body = asked(f"/v2/models/{name}/infer", wrong)
assert InferenceErrorResponse.model_validate_json(body).error
assert {it.name for it in model.outputs} == set(told)
print(json.dumps({"version": answer.model_version, "told": told, "status": status}))
"""

TRITON = """
import json, sys
import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

url, name, rows = sys.argv[1].removeprefix("http://"), sys.argv[2], np.array(json.loads(sys.argv[3]))
client = InferenceServerClient(url)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(name)
names = [it["name"] for it in client.get_model_metadata(name)["outputs"]]

def asked(rows):
    values = InferInput("features", list(rows.shape), "FP64")
    values.set_data_from_numpy(rows, binary_data=False)
    wanted = [InferRequestedOutput(name, binary_data=False) for name in names]
    return client.infer(name, [values], outputs=wanted, request_id="one")

answer = asked(rows)
told = {name: answer.as_numpy(name).tolist() for name in names}
try:
    asked(rows[:, :1])
except InferenceServerException as error:
    status = int(error.status() or 0)
print(json.dumps({"version": answer.get_response()["model_version"], "told": told, "status": status}))
"""


@dataclass(frozen=True)
class Client:
    peer: str
    script: str


@pytest.mark.parametrize(
    "client",
    [Client("kserve", KSERVE), Client("mlserver", MLSERVER), Client("triton", TRITON)],
    ids=lambda client: client.peer,
)
def test_a_client_that_speaks_the_protocol_is_answered(client: Client, server: Server, tmp_path: Path) -> None:
    try:
        programs = programs_of(client.peer)
    except NotInstalled as error:
        pytest.skip(f"{client.peer} cannot be installed: {error}")
    told = json.loads(
        ran(programs / "python", "-c", client.script, server.url, NAME, json.dumps(ROWS), folder=tmp_path)
    )
    expected = [httpx.post(f"{server.url}/predict", json={"data": {"features": row}}).json() for row in ROWS]
    assert told.get("version", "1") == expected[0]["model_version"] == "1"
    assert told["status"] == 400
    assert told["told"]["probability"] == [it["probability"] for it in expected]
    assert told["told"]["decision"] == [it["decision"] for it in expected]
    assert [json.loads(it) for it in told["told"]["reasons"]] == [it["reasons"] for it in expected]
    # Each row is kept like any other decision.
    for decision_id, row in zip(told["told"]["decision_id"], expected, strict=True):
        assert decision_id
        assert decision_id != row["decision_id"]
