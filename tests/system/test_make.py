"""The README's commands for one machine, through make as a person runs them."""

import json
import os
import subprocess
from pathlib import Path

from app.settings import ROOT
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.demo import free_port
from tests.system.conftest import Store


def make(store: Store, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--silent", "--no-print-directory", *arguments, "IN=local"]
    return subprocess.run(command, cwd=ROOT, env=store.environment, capture_output=True, text=True, check=False)


def test_train_serve_and_predict_do_what_the_readme_says(store: Store, tmp_path: Path) -> None:
    data = tmp_path / "none.csv"
    refused = make(store, "train", f"DATA={data}")
    assert str(data) in refused.stderr
    port = str(free_port())
    with (tmp_path / "serve.log").open("wb") as log:
        command = ["make", "--silent", "serve"]
        environment = store.environment | {"PORT": port}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        answered = wait_until(
            lambda: make(store, "predict", f"PORT={port}"), lambda it: it.returncode == 0, PATIENCE_SECONDS
        )
        assert json.loads(answered.stdout)["decision"] in ("ACCEPT", "REJECT")
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=PATIENCE_SECONDS)


def test_predict_says_what_to_do_when_nothing_answers(store: Store) -> None:
    ended = make(store, "predict", f"PORT={free_port()}")
    assert ended.returncode != 0
    assert "start it with make serve" in ended.stderr


def test_help_is_the_default_goal(store: Store) -> None:
    assert make(store).stdout == make(store, "help").stdout
    assert "demo" in make(store).stdout


def test_images_are_built_with_the_commit_that_they_are_built_from() -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    bare = {name: value for name, value in os.environ.items() if name not in ("GIT_COMMIT", "MAKEFLAGS")}
    command = ["make", "--dry-run", "--no-print-directory", "images"]
    told = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=True).stdout
    assert f"--build-arg GIT_COMMIT={head.stdout.strip() or 'unknown'} " in told
