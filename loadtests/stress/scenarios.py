"""What befalls the servers: each scenario does its worst to a world while it is asked, and lets it recover."""

import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from random import Random

from harness.postgres import Postgres
from loadtests.stress.world import World

HELD_SECONDS = 20.0
"""How long something stays broken."""
LIVES_SECONDS = (3.0, 15.0)
FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"
"""Of Debian's package faketime."""


def killed(world: World, seconds: float) -> None:
    """Two servers on one journal, each killed with SIGKILL at random and started again."""
    ends = time.monotonic() + seconds

    def lives(seed: int) -> None:
        random = Random(seed)
        while time.monotonic() < ends:
            with world.server() as server, world.asking(server):
                time.sleep(min(random.uniform(*LIVES_SECONDS), max(0.0, ends - time.monotonic())))
                server.process.kill()
                server.process.wait()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(lives, seed) for seed in range(2)]:
            done.result()


def flipped(world: World, postgres: Postgres) -> None:
    """One bit of a journal line turns while the database is away, in the middle of the file."""
    postgres.stop()
    with world.server() as server:
        world.ask(server, 500)
        server.process.terminate()
        server.process.wait()
    (file,) = world.journal.glob("*/*.jsonl")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    postgres.start()


def clock_set_back(world: World) -> None:
    """The clock goes back an hour under a running server."""
    clock = world.folder / "clock"
    clock.write_text("+0")
    faked = {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    with world.server(**faked, FAKETIME_DONT_FAKE_MONOTONIC="1") as server:
        world.ask(server, 500)
        clock.write_text("-3600")
        world.ask(server, 500)
        server.process.terminate()
        server.process.wait()


def library() -> str:
    """Raises FileNotFoundError where the machine has no libfaketime."""
    found = glob(FAKETIME)
    if not found:
        raise FileNotFoundError("libfaketime is not installed: apt-get install faketime")
    return found[0]


def sqlite_locked(world: World) -> None:
    """Another program holds the SQLite database for longer than anybody waits for a lock."""
    with world.server() as server:
        world.ask(server, 200)
        other = sqlite3.connect(world.folder / "decisions.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with world.asking(server):
            time.sleep(HELD_SECONDS)
        other.execute("ROLLBACK")
        other.close()
        world.ask(server, 200)


def sqlite_deleted(world: World) -> None:
    """Somebody deletes the SQLite database under the server: what it had is gone with it."""
    with world.server() as server:
        world.ask(server, 200)
        server.process.terminate()
        server.process.wait()
    world.ship_all()
    gone = set(world.asked.ids)
    with world.server() as server:
        for file in world.folder.glob("decisions.db*"):
            file.unlink()
        world.ask(server, 200)
    world.asked.ids = [it for it in world.asked.ids if it not in gone]


def postgres_full(world: World, postgres: Postgres) -> None:
    """Postgres' disk fills up, and has space again later."""
    ballast = postgres.folder / "ballast"
    with world.server() as server:
        world.ask(server, 200)
        subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=64k"], capture_output=True, check=False)
        with world.asking(server):
            time.sleep(HELD_SECONDS)
        ballast.unlink()
        world.ask(server, 200)


def migrated_twice(world: World) -> None:
    """Four migrations of an empty database at once, beside a server that makes one itself."""
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(world.credit, "audit", "migrate") for _ in range(4)]
        with world.server() as server:
            world.ask(server, 200)
        ended = [run.result() for run in runs]
    for it in ended:
        if it.returncode != 0:
            world.remarks.append(f"migrate ended with {it.returncode}: {it.stderr.strip()}")


def retention(world: World) -> None:
    """Retention takes decisions of three years ago again and again, while today's are brought to the database."""
    clock = world.folder / "clock"
    clock.write_text("-1095d")
    faked = {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with world.server(**faked) as server:
        world.ask(server, 200)
        server.process.terminate()
        server.process.wait()
    old = set(world.asked.ids)
    with world.server() as server, world.asking(server):
        stop = threading.Event()
        taker = threading.Thread(target=_retain, args=(world, stop))
        taker.start()
        time.sleep(HELD_SECONDS)
        stop.set()
        taker.join()
    world.ship_all()
    world.credit("audit", "retain")
    left = len(old & set(world.recorded()))
    world.remarks.append(f"{len(old)} old decisions were shipped first, {left} of them are left")
    world.asked.ids = [it for it in world.asked.ids if it not in old]


def _retain(world: World, stop: threading.Event) -> None:
    while not stop.is_set():
        done = world.credit("audit", "retain")
        if done.returncode != 0:
            world.remarks.append(f"retain ended with {done.returncode}: {done.stderr.strip()}")
