"""MLflow as the chart starts it when it asks for users: the rendered pod's own programs, on a real Postgres."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.postgres import Postgres, running_postgres
from harness.servers import free_port
from harness.waiting import PATIENCE_SECONDS, wait_until
from tests.charts.conftest import CHARTS, Object, one, render

ADMINISTRATOR, API, PEOPLE = "administrator", "api", "people"
USERS = {name: {"username": name, "password": f"a password of {name}"} for name in (ADMINISTRATOR, API, PEOPLE)}
LISTED = ({"existingSecret": API}, {"existingSecret": PEOPLE})
ASKED: Object = {"enabled": True, "administrator": {"existingSecret": ADMINISTRATOR}}
ROLE_PASSWORD = "50% of it/all"
MODELS = "api/2.0/mlflow/registered-models"
SEARCH = f"{MODELS}/search?max_results=1"

Secrets = dict[str, dict[str, str]]


def script_of(container: Object) -> str:
    return str(CHARTS / "mlflow" / "files" / Path(container["command"][1]).name)


class Pod:
    """The pod of the Deployment, whose containers run here one by one."""

    def __init__(self, folder: Path, secrets: Secrets, users: Sequence[Object] = LISTED) -> None:
        self.folder, self.secrets = folder, secrets
        self.port, self.metrics_port = free_port(), free_port()
        values = {"serviceMonitor": {"enabled": True}, "auth": ASKED | {"users": list(users)}}
        self._spec: Object = one(render("mlflow", values), "Deployment")["spec"]["template"]["spec"]

    def environment(self, container: Object) -> dict[str, str]:
        given = {}
        for variable in container["env"]:
            source = variable.get("valueFrom", {}).get("secretKeyRef")
            if source and source["name"] in self.secrets:
                given[variable["name"]] = self.secrets[source["name"]][source["key"]]
            elif "value" in variable:
                given[variable["name"]] = variable["value"].replace("/tmp", str(self.folder))
        return os.environ | given | {"HOME": str(self.folder)}

    def prepare(self, name: str) -> subprocess.CompletedProcess[str]:
        (container,) = [it for it in self._spec["initContainers"] if it["name"] == name]
        environment = self.environment(container)
        command = [sys.executable, script_of(container)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def container(self, name: str) -> Object:
        (found,) = [it for it in self._spec["containers"] if it["name"] == name]
        return dict(found)

    def start_metrics(self) -> "subprocess.Popen[bytes]":
        container = self.container("metrics")
        environment = self.environment(container) | {"PORT": str(self.metrics_port), "ADDRESS": "127.0.0.1"}
        return subprocess.Popen([sys.executable, script_of(container)], env=environment)

    def start(self) -> "subprocess.Popen[bytes]":
        """The server itself, on a free port of this machine and with its artifacts in a folder."""
        container = self.container("mlflow")
        own = {"--port": self.port, "--host": "127.0.0.1", "--artifacts-destination": self.folder / "artifacts"}
        own["--expose-prometheus"] = self.folder / "metrics"
        arguments = [it for it in container["args"] if it.partition("=")[0] not in own]
        command = [sys.executable, "-m", *container["command"], *arguments, *(f"{k}={v}" for k, v in own.items())]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, env=self.environment(container), stdout=log, stderr=log, start_new_session=True
            )

    def ask(self, path: str, user: Mapping[str, str] | None, **body: str) -> httpx.Response:
        auth = None if user is None else (user["username"], user["password"])
        url = f"http://127.0.0.1:{self.port}/{path}"
        if body:
            return httpx.post(url, json=body, auth=auth, timeout=PATIENCE_SECONDS)
        return httpx.get(url, auth=auth, timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        server.query("postgres", f"CREATE ROLE mlflow LOGIN SUPERUSER PASSWORD '{ROLE_PASSWORD}'")
        yield server


def address_of(postgres: Postgres) -> str:
    """Of an empty database, with a password that has to be escaped in it."""
    name = postgres.new_database().rpartition("/")[2]
    return f"postgresql+psycopg2://mlflow:50%25%20of%20it%2Fall@127.0.0.1:{postgres.port}/{name}"


def secrets_of(address: str) -> Secrets:
    return {"postgres": {"mlflow-uri": address}, **{name: dict(user) for name, user in USERS.items()}} | {
        ADMINISTRATOR: USERS[ADMINISTRATOR] | {"form-key": "a random text"}
    }


@pytest.fixture(scope="module")
def pod(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    """Started, and in it a model of the API's user."""
    pod = Pod(tmp_path_factory.mktemp("pod"), secrets_of(address_of(postgres)))
    for name in ("database", "users"):
        done = pod.prepare(name)
        assert done.returncode == 0, done.stderr
    metrics, process = pod.start_metrics(), pod.start()
    try:
        wait_until(lambda: pod.ask("health", None).status_code, lambda it: it == 200, what="MLflow")
        assert pod.ask(f"{MODELS}/create", USERS[API], name="credit").status_code == 200
        yield pod
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        metrics.terminate()
        # By its own hand: as the first process of a container it would not end by the signal alone.
        assert metrics.wait() == 0


@pytest.mark.parametrize("path", [SEARCH, ""])
def test_users_are_answered_and_nobody_else(pod: Pod, path: str) -> None:
    assert pod.ask(path, None).status_code == 401
    assert pod.ask(path, USERS[API] | {"password": "another password"}).status_code == 401
    for user in USERS.values():
        assert pod.ask(path, user).status_code == 200


def test_prometheus_reads_what_is_counted_and_cannot_ask_for_a_model(pod: Pod) -> None:
    def read(path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{pod.metrics_port}/{path}", timeout=PATIENCE_SECONDS)

    def counted() -> float:
        name, labels = "mlflow_http_request_total", {"method": "POST", "status": "200"}
        families = text_string_to_metric_families(read("metrics").text)
        return sum(it.value for family in families for it in family.samples if it.name == name and it.labels == labels)

    before = counted()
    assert before >= 1
    assert pod.ask(f"{MODELS}/set-tag", USERS[API], name="credit", key="counted", value="once").status_code == 200
    assert counted() == before + 1
    assert "registered_models" not in read(SEARCH).text


def test_a_model_is_its_makers_and_the_administrators_to_change(pod: Pod) -> None:
    def described(user: Mapping[str, str]) -> int:
        return pod.ask(f"{MODELS}/set-tag", user, name="credit", key="asked", value=user["username"]).status_code

    assert pod.ask(f"{MODELS}/get?name=credit", USERS[PEOPLE]).status_code == 200
    assert [described(USERS[name]) for name in (PEOPLE, API, ADMINISTRATOR)] == [403, 200, 200]


@pytest.mark.parametrize(("permission", "status"), [("EDIT", 200), ("READ", 403)])
def test_a_permission_holds_for_what_others_made_until_it_is_another(
    pod: Pod, tmp_path: Path, permission: str, status: int
) -> None:
    users = [LISTED[0], {"existingSecret": PEOPLE, "permission": permission}]
    assert Pod(tmp_path, pod.secrets, users).prepare("users").returncode == 0
    changed = pod.ask(f"{MODELS}/set-tag", USERS[PEOPLE], name="credit", key="edited", value=permission)
    assert changed.status_code == status


def test_the_file_with_the_databases_password_is_its_owners_alone(pod: Pod) -> None:
    assert stat.S_IMODE((pod.folder / "users.ini").stat().st_mode) == 0o600


def test_a_password_of_a_secret_becomes_that_of_the_user_and_another_users_stays(pod: Pod, tmp_path: Path) -> None:
    changed = USERS[PEOPLE] | {"password": "quite another password"}
    done = Pod(tmp_path, pod.secrets | {PEOPLE: changed}).prepare("users")
    assert done.returncode == 0, done.stderr
    assert "user people has another password" in done.stderr
    assert changed["password"] not in done.stderr
    assert pod.ask(SEARCH, USERS[PEOPLE]).status_code == 401
    assert pod.ask(SEARCH, changed).status_code == 200
    assert pod.ask(SEARCH, USERS[API]).status_code == 200
    assert Pod(tmp_path, pod.secrets).prepare("users").returncode == 0


def test_two_servers_that_start_at_once_make_each_user_once(postgres: Postgres, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    secrets = secrets_of(address_of(postgres))
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda folder: Pod(folder, secrets).prepare("users"), folders))
    assert [it.returncode for it in done] == [0, 0], [it.stderr for it in done]
    told = "".join(it.stderr for it in done)
    assert [told.count(f"user {name} is made") for name in USERS] == [1, 1, 1]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "too short"}, "Secret api, user 'api': Password must be at least 12 characters"),
        ({"username": ""}, "Secret api, user '': Username cannot be empty"),
        ({"username": PEOPLE}, "the Secrets api and people name the same user 'people': rename one"),
    ],
)
def test_a_user_that_cannot_be_is_told_with_its_secret(
    pod: Pod, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    done = Pod(tmp_path, pod.secrets | {API: USERS[API] | changed}).prepare("users")
    assert done.returncode == 1
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert USERS[API]["password"] not in done.stderr
