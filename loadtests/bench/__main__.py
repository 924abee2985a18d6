"""`python -m loadtests.bench [DATA]`: decisions a second, CPU time, latency and memory beside other model servers.

Every server holds the same model, runs as one process (or as few as it can) on one core and is asked by wrk on another;
all are asked in turn, in several rounds, and an answer that is no success ends the run. Leaves bench.json and bench.png
in build/bench.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from loadtests.bench.contenders import CONTENDERS, Contender
from loadtests.bench.environments import FOLDER, NotInstalled
from loadtests.bench.measuring import measure, say
from loadtests.bench.processes import two_cores
from loadtests.bench.report import as_json, picture, table
from loadtests.bench.trained import Trained, train
from loadtests.bench.wrk import CONNECTIONS, require_wrk


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="path or s3:// address of the rows to train on and to ask about")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each server in each round; default: %(default)s")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="some of the servers")
    options = parser.parse_args()
    require_wrk()
    cores = two_cores()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        say("train")
        trained = train(Path(name), options.data)
        contenders, skipped = chosen(options.only, trained)
        lines = measure(contenders, trained, cores, options.rounds, options.seconds)
    data = trained.data or "synthetic sample"
    run = {"data": Path(data).name, "rounds": options.rounds, "seconds": options.seconds, "connections": CONNECTIONS}
    (FOLDER / "bench.json").write_text(json.dumps(as_json(lines, skipped, **run), indent=1) + "\n")
    (FOLDER / "bench.png").write_bytes(picture(lines))
    sys.stdout.write(f"{table(lines, skipped)}\n")
    return 0


def chosen(names: list[str], trained: Trained) -> tuple[list[Contender], dict[str, str]]:
    """The contenders of those names, and why some of them cannot be had."""
    found, skipped = [], {}
    for name in names:
        try:
            found.append(CONTENDERS[name](trained))
        except NotInstalled as error:
            skipped[name] = str(error)
            say(f"skip {name}: {error}")
    return found, skipped


if __name__ == "__main__":
    sys.exit(main())
