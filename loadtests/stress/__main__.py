"""`python -m loadtests.stress [--seconds 600] [--only NAME …]`: what is answered, kept, lost and doubled under stress.

Each scenario has a journal and a database of its own. lost: answered with 200 and an id, and not in the database at the
end; doubled: more than once in it. verify is `credit audit verify` at the end.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.settings import ROOT, WELL_KNOWN
from app.terminal import table
from harness.postgres import Postgres, running_postgres
from loadtests.stress import scenarios
from loadtests.stress.world import World
from scripts.credit import PROGRAM

SMALL_DISK = "size=160m"


def trained(folder: Path) -> dict[str, str]:
    """The environment of a registry with a model of the sample in production."""
    environment = {name: value for name, value in os.environ.items() if name not in WELL_KNOWN}
    environment |= {
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "SERVING__CACHE_DIR": str(folder / "models"),
        "AUDIT__JOURNAL_DIR": str(folder / "journal"),
        "DATABASE_URI": f"sqlite:///{folder / 'decisions.db'}",
        "DATA": "",
    }
    done = subprocess.run([PROGRAM, "train"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr or done.stdout)
    return environment


@contextmanager
def small_postgres(folder: Path) -> Iterator[Postgres]:
    """On a disk of its own that can be filled."""
    disk = folder / "disk"
    disk.mkdir()
    folder.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", SMALL_DISK, "tmpfs", str(disk)], check=True)
    try:
        server = Postgres(disk)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def worlds(environment: dict[str, str], seconds: float, folder: Path) -> Iterator[tuple[str, Callable[[], World]]]:
    """Name and run of each scenario."""

    def embedded(name: str, scenario: Callable[[World], None]) -> World:
        made = World(folder / name, environment, f"sqlite:///{folder / name / 'decisions.db'}")
        made.run(scenario)
        return made

    def on_postgres(name: str, scenario: Callable[[World, Postgres], None], small: bool = False) -> World:
        place = folder / f"{name}-postgres"
        place.mkdir()
        with small_postgres(place) if small else running_postgres() as postgres:
            made = World(folder / name, environment, postgres.new_database())
            made.run(lambda world: scenario(world, postgres))
        return made

    yield "killed", lambda: on_postgres("killed", lambda world, _: scenarios.killed(world, seconds))
    yield "flipped", lambda: on_postgres("flipped", scenarios.flipped)
    yield "clock", lambda: on_postgres("clock", lambda world, _: scenarios.clock_set_back(world))
    yield "locked", lambda: embedded("locked", scenarios.sqlite_locked)
    yield "deleted", lambda: embedded("deleted", scenarios.sqlite_deleted)
    yield "full", lambda: on_postgres("full", scenarios.postgres_full, small=True)
    yield "migrations", lambda: on_postgres("migrations", lambda world, _: scenarios.migrated_twice(world))
    yield "retention", lambda: on_postgres("retention", lambda world, _: scenarios.retention(world))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="of the scenario in which servers are killed")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="scenarios to run")
    options = parser.parse_args()
    rows = [["scenario", "answered", "failed", "cut", "lost", "doubled", "verify"]]
    told: list[str] = []
    with tempfile.TemporaryDirectory(prefix="stress") as place:
        folder = Path(place)
        # Postgres is another user, and lies in it.
        folder.chmod(0o755)
        for name, run in worlds(trained(folder), options.seconds, folder):
            if options.only and name not in options.only:
                continue
            result = run().outcome
            rows.append([name, *result.figures])
            told += [f"{name}: {line}" for line in result.said]
            sys.stdout.write(f"{table([rows[0], rows[-1]], figures=True)}\n")
    sys.stdout.write("\n".join(["", table(rows, figures=True), "", *told, ""]))


if __name__ == "__main__":
    main()
