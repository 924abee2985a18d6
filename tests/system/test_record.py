"""What was answered is on the disk: real servers that are killed, crowded and left without space or database."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from harness.servers import running_server
from harness.waiting import PATIENCE_SECONDS, wait_until
from tests.support.journals import chains, keys
from tests.support.recording import BATCH, REQUEST, Answers, asking, settings_of, variables

LIVES = 3


def test_killed_at_any_moment_beside_another_on_the_same_folder_it_has_kept_what_it_answered_once(
    tmp_path: Path,
) -> None:
    settings, random = settings_of(tmp_path), Random()
    folder, answers, others = settings.audit.journal_dir, Answers(), Answers()
    with running_server(variables(settings), tmp_path / "other.log") as other:
        other.wait_ready()
        with asking(other, others):
            for life in range(LIVES):
                with running_server(variables(settings), tmp_path / f"{life}.log") as server:
                    server.wait_ready()
                    wanted = len(answers.ids) + random.randrange(50, 1000)
                    with asking(server, answers):
                        wait_until(lambda: len(answers.ids), lambda it, wanted=wanted: it >= wanted)  # type: ignore[misc]
                        server.process.kill()
                        server.process.wait()
    assert answers.failed == others.failed == []
    assert len(chains(folder)) == LIVES + 1
    kept = keys(folder, "decision")
    assert len(set(kept)) == len(kept)
    answered = [*answers.ids, *others.ids]
    assert len(set(answered)) == len(answered)
    assert set(answered) - set(kept) == set()


def test_asked_to_stop_it_has_kept_exactly_what_it_answered(tmp_path: Path) -> None:
    settings, answers = settings_of(tmp_path), Answers()
    with running_server(variables(settings), tmp_path / "log") as server:
        server.wait_ready()
        with asking(server, answers):
            wait_until(lambda: len(answers.ids), lambda it: it > 200)
        server.process.terminate()
        assert server.process.wait(timeout=PATIENCE_SECONDS) == 0
    assert sorted(keys(settings.audit.journal_dir, "decision")) == sorted(str(it) for it in answers.ids)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Until nothing more fits."""
    with path.open("wb", buffering=0) as ballast:
        try:
            while ballast.write(b"\0" * 4096):
                pass
        except OSError:
            return


@pytest.mark.parametrize("on_failure", ["refuse", "serve"])
def test_on_a_full_disk_nothing_is_half_kept_and_with_space_it_goes_on_by_itself(
    small_disk: Path, tmp_path: Path, on_failure: str
) -> None:
    settings = settings_of(tmp_path, journal_dir=small_disk / "journal", on_failure=on_failure)
    answers = Answers()
    with running_server(variables(settings), tmp_path / "log") as server:
        server.wait_ready()

        def asked(body: Any) -> httpx.Response:
            path = "/predict/batch" if body is BATCH else "/predict"
            answer = httpx.post(f"{server.url}{path}", json=body, timeout=30)
            answers.take(answer)
            return answer

        def unkept() -> int:
            return len(answers.failed) + answers.ids.count(None)

        asked(REQUEST)
        fill(small_disk / "ballast")
        wait_until(lambda: (asked(BATCH), asked(REQUEST), unkept()), lambda it: it[2] > 200)
        refused = asked(REQUEST)
        assert refused.status_code == (503 if on_failure == "refuse" else 200)
        assert refused.headers.get("Retry-After") == ("5" if on_failure == "refuse" else None)
        (small_disk / "ballast").unlink()
        wait_until(lambda: asked(REQUEST), lambda it: "X-Decision-ID" in it.headers)
        asked(BATCH)
        server.process.terminate()
        assert server.process.wait(timeout=PATIENCE_SECONDS) == 0
    if on_failure == "refuse":
        assert {it[:3] for it in answers.failed} == {"503"}
    else:
        assert answers.failed == []
    assert sorted(keys(small_disk / "journal", "decision")) == sorted(it for it in answers.ids if it)


def test_at_the_journals_limit_it_refuses_and_with_the_database_having_it_all_it_goes_on(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, journal_megabytes=1)
    answers = Answers()
    with running_server(variables(settings), tmp_path / "log") as server:
        server.wait_ready()
        with asking(server, answers):
            wait_until(lambda: len(answers.failed), lambda it: it > 3, what="refusals")
        (writer,) = settings.audit.journal_dir.iterdir()
        size = (writer / "00000001.jsonl").stat().st_size
        assert 900_000 < size <= 1024 * 1024
        (writer / "shipped").write_text(f'{{"file": 1, "offset": {size}}}')
        wait_until(
            lambda: httpx.post(f"{server.url}/predict", json=REQUEST, timeout=PATIENCE_SECONDS).status_code,
            lambda it: it == 200,
            PATIENCE_SECONDS,
        )
    assert {it[:3] for it in answers.failed} == {"503"}
    assert set(answers.ids) - set(keys(settings.audit.journal_dir, "decision")) == set()
