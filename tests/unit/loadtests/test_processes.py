"""A server's figures are those of all its processes, and it ends with all of them."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from harness.servers import free_port
from harness.waiting import PATIENCE_SECONDS, wait_until
from loadtests.bench.processes import cpu_seconds, resident_megabytes, rest, running, tree

BUSY = """
import subprocess, sys, time
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
"""
SERVER = f"""
import http.server, subprocess, sys
subprocess.run([sys.executable, "-c", {BUSY!r}])
idle = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def test_a_tree_is_counted_and_ended_as_a_whole(tmp_path: Path) -> None:
    port, core = free_port(), min(os.sched_getaffinity(0))
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", SERVER, str(port)]
    with running(command, os.environ, core, url, tmp_path / "log") as pid:
        members = wait_until(lambda: tree(pid), lambda it: len(it) == 2, what="a child")
        assert all(os.sched_getaffinity(member) == {core} for member in members)
        assert cpu_seconds(pid) >= 0.3, "that of the child which has ended counts"
        assert resident_megabytes(pid) > resident_megabytes(members[1]) > 1
    wait_until(lambda: [it for it in members if Path(f"/proc/{it}").exists()], lambda it: not it, what="their end")
    with pytest.raises(httpx.TransportError):
        httpx.get(url, timeout=PATIENCE_SECONDS)


def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such model')"]
    with (
        pytest.raises((SystemExit, AssertionError), match="no such model"),
        running(command, os.environ, min(os.sched_getaffinity(0)), "http://127.0.0.1:9", tmp_path / "log"),
    ):
        pass


def test_a_server_rests_when_it_has_done_what_was_left_over() -> None:
    script = f"import time\nprint('busy', flush=True)\n{BUSY.replace('0.3', '1.0')}\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"busy\n"
            rest(process.pid)
            assert cpu_seconds(process.pid) >= 1.0
        finally:
            process.kill()
