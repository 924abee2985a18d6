"""Clients are generated from the document that a server serves, their types hold, and they are answered."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import ROOT
from harness.servers import Server
from tests.support.fakes import json_file

pytestmark = pytest.mark.clients

BUILD = ROOT / "build" / "clients"
ASK_IN_PYTHON = """
import json, sys
from generated import Client
from generated.api.decisions import predict
from generated.models import PredictRequest, Problem

url, *requests = sys.argv[1:]
told = []
with Client(url) as client:
    for request in requests:
        found = predict.sync(client=client, body=PredictRequest.from_dict(json.loads(request)))
        reasons = [reason.code for reason in found.reasons]
        told.append({"decision": found.decision.value, "probability": found.probability, "reasons": reasons})
    wrong = json.loads(requests[0])
    wrong["data"]["features"] = []
    refused = predict.sync_detailed(client=client, body=PredictRequest.from_dict(wrong))
assert isinstance(refused.parsed, Problem)
print(json.dumps({"told": told, "problem": {"status": refused.status_code, "type": refused.parsed.type_}}))
"""


@pytest.fixture
def document(server: Server, tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx.get(f"{server.url}/openapi.json").content)
    return path


def ran(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def requests() -> list[dict[str, Any]]:
    """By position, by name, and of somebody who is refused."""
    refused = {"data": {"features": [0, 1.2, 24, 3, 2.0, 900, 12, 2, 0, 1, 4]}}
    return [json_file("request.json"), json_file("applicant.json"), refused]


def expected(server: Server) -> list[dict[str, Any]]:
    """What a client that nobody generated is told."""
    found = [httpx.post(f"{server.url}/predict", json=it).raise_for_status().json() for it in requests()]
    return [
        {
            "decision": it["decision"],
            "probability": it["probability"],
            "reasons": [reason["code"] for reason in it["reasons"]],
        }
        for it in found
    ]


def test_a_client_in_python_is_typed_and_answered(server: Server, document: Path, tmp_path: Path) -> None:
    generator = BUILD / "bin" / "openapi-python-client"
    if not generator.exists():
        pytest.skip("openapi-python-client is not in build/clients: make clients installs it where it may")
    made = ran(
        generator, "generate", "--path", document, "--meta", "none", "--output-path", "generated", folder=tmp_path
    )
    assert "warning" not in made.lower(), made
    ran(sys.executable, "-m", "mypy", "--config-file=", "--ignore-missing-imports", "generated", folder=tmp_path)
    texts = [json.dumps(it) for it in requests()]
    told = json.loads(ran(BUILD / "bin" / "python", "-c", ASK_IN_PYTHON, server.url, *texts, folder=tmp_path))
    assert told["told"] == expected(server)
    assert told["problem"] == {"status": 422, "type": "/problems/invalid"}


def test_a_client_in_typescript_is_typed_and_answered(server: Server, document: Path, tmp_path: Path) -> None:
    programs = BUILD / "typescript" / "node_modules"
    if shutil.which("node") is None or not programs.is_dir():
        pytest.skip("no node, or no openapi-typescript in build/clients: make clients installs them where it may")
    for source in (ROOT / "tests" / "clients" / "typescript").iterdir():
        shutil.copy(source, tmp_path)
    (tmp_path / "node_modules").symlink_to(programs)
    ran(programs / ".bin" / "openapi-typescript", document, "--output", "schema.d.ts", folder=tmp_path)
    ran(programs / ".bin" / "tsc", "--project", "tsconfig.json", folder=tmp_path)
    texts = [json.dumps(it) for it in requests()]
    told = json.loads(ran("node", "out/ask.js", server.url, *texts, folder=tmp_path))
    assert told["told"] == expected(server)
    assert told["problem"] == {"status": 422, "type": "/problems/invalid"}
