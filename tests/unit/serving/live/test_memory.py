"""Memory that a load needed goes back to the system."""

import subprocess
import sys

from app.settings import ROOT

# Small blocks come from the heap, whose middle only malloc_trim gives back while the last block is in use.
MEASURE = """
from app.serving.live.memory import release_free_memory

def resident() -> int:
    line = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1])

blocks = [bytes(2000) for _ in range(50_000)]
last = bytes(2000)
blocks.clear()
before = resident()
release_free_memory()
print(before - resident())
"""


def test_what_was_freed_goes_back_to_the_system() -> None:
    ended = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(ended.stdout) > 20_000
