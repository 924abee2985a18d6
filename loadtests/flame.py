"""`python -m loadtests.flame [DATA]`: where the service's time goes while it decides, as build/bench/flame.svg.

py-spy looks at the running server from outside, which Linux allows root, or anybody where kernel.yama.ptrace_scope
is 0.
"""

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from loadtests.bench.contenders import service
from loadtests.bench.environments import FOLDER, NotInstalled, programs_of
from loadtests.bench.measuring import WARM_UP_SECONDS, Target, say, started
from loadtests.bench.processes import Cores, two_cores
from loadtests.bench.trained import train
from loadtests.bench.wrk import require_wrk

SAMPLES_PER_SECOND = 200
MARGIN_SECONDS = 3.0
"""How much longer than the recording the load goes on."""


def record(target: Target, cores: Cores, seconds: int, picture: Path) -> None:
    """A flame graph of the server under load. Raises SystemExit when py-spy cannot be had or may not look."""
    try:
        command = [str(programs_of("py-spy") / "py-spy"), "record", "--pid", str(target.pid)]
    except NotInstalled as error:
        raise SystemExit(f"error: py-spy cannot be installed: {error}") from error
    command += ["--rate", str(SAMPLES_PER_SECOND), "--duration", str(seconds), "--output", str(picture)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as spy:
        target.burst(seconds + MARGIN_SECONDS, cores)
        told, _ = spy.communicate()
    if spy.returncode != 0:
        raise SystemExit(f"error: py-spy ended with {spy.returncode}: {told.strip()}")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.flame", description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="path or s3:// address of the rows to train on and to ask about")
    parser.add_argument("--load", choices=("accepted", "mix"), default="mix", help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=10, help="default: %(default)s")
    options = parser.parse_args()
    require_wrk()
    cores = two_cores()
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture = FOLDER / "flame.svg"
    with tempfile.TemporaryDirectory() as name, ExitStack() as running_servers:
        say("train")
        trained = train(Path(name), options.data)
        targets = list(started(service(trained, record=True), trained, cores, running_servers))
        target = next(it for it in targets if it.load == options.load)
        target.burst(WARM_UP_SECONDS, cores)
        record(target, cores, options.seconds, picture)
    sys.stdout.write(f"{picture}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
