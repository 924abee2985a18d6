"""`python -m loadtests.overload [DATA]`: what is left of the service's best when it is asked twice as much.

In turn, several times: as many decisions as it can make, asked by wrk, and then requests at a multiple of that rate,
which do not wait for answers. The server has one core, what asks it another. Leaves overload.json in build/bench.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from loadtests.bench.contenders import service
from loadtests.bench.environments import FOLDER
from loadtests.bench.measuring import WARM_UP_SECONDS, Target, say, started
from loadtests.bench.processes import Cores, two_cores
from loadtests.bench.trained import train
from loadtests.bench.wrk import require_wrk
from loadtests.offered import GOOD, SHED, Offered
from loadtests.open_loop import MOST_CONNECTIONS, offer

OTHER_FILES = 100
"""That server and generator each have open beside their connections."""


def allow_connections() -> None:
    """For this process and those that it starts. Raises SystemExit when the machine allows fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = MOST_CONNECTIONS + OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(f"error: {needed} open files are needed, {hard} are allowed; see ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))


def measured(target: Target, cores: Cores, seconds: float, factor: float, apart: bool) -> dict[str, Any]:
    """One turn: the maximum, then the overload."""
    maximum = target.burst(seconds, cores).requests_per_second
    bodies = target.bodies.read_text().splitlines()
    found = figures(offer(target.url, bodies, factor * maximum, seconds, apart), maximum)
    say(json.dumps(found))
    return found


def figures(offered: Offered, maximum: float) -> dict[str, Any]:
    """Of one overload. maximum: good answers a second without one."""
    p50, p99 = offered.percentile_ms(0.5), offered.percentile_ms(0.99)
    return {
        "maximum_per_second": round(maximum, 1),
        "offered_per_second": round(offered.rate, 1),
        "goodput_per_second": round(offered.goodput, 1),
        "goodput_ratio": round(offered.goodput / maximum, 3),
        "p50_ms": p50 and round(p50, 2),
        "p99_ms": p99 and round(p99, 2),
        "good_share": round(offered.share(GOOD), 4),
        "shed_share": round(offered.share(SHED), 4),
        "other_shares": {
            name: round(offered.share(name), 4)
            for name, count in offered.outcomes.items()
            if count and name not in (GOOD, SHED)
        },
    }


def summary(turns: list[dict[str, Any]]) -> str:
    """Medians of the turns."""

    def middle(name: str) -> str:
        values = [turn[name] for turn in turns if turn[name] is not None]
        return f"{median(values):,.1f}" if values else "-"

    others = sorted({name for turn in turns for name in turn["other_shares"]})
    return "\n".join(
        [
            f"maximum             {median(turn['maximum_per_second'] for turn in turns):,.0f} decisions a second",
            f"offered             {median(turn['offered_per_second'] for turn in turns):,.0f} requests a second",
            f"goodput             {median(turn['goodput_ratio'] for turn in turns):.1%} of the maximum",
            f"p50/p99             {middle('p50_ms')}/{middle('p99_ms')} ms of what was decided, from when it was due",
            f"shed                {median(turn['shed_share'] for turn in turns):.1%} with 503 and Retry-After",
            *(f"{name:<20}{median(turn['other_shares'].get(name, 0) for turn in turns):.1%}" for name in others),
        ]
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.overload", description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="path or s3:// address of the rows to train on and to ask about")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each half of a round; default: %(default)s")
    parser.add_argument("--factor", type=float, default=2.0, help="of the maximum; default: %(default)s")
    parser.add_argument("--apart", action="store_true", help="head and body in two pieces, as http.client sends them")
    options = parser.parse_args()
    require_wrk()
    cores = two_cores()
    allow_connections()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, ExitStack() as running_servers:
        say("train")
        trained = train(Path(name), options.data)
        targets = list(started(service(trained, record=True), trained, cores, running_servers))
        mix = next(target for target in targets if target.load == "mix")
        mix.burst(WARM_UP_SECONDS, cores)
        os.sched_setaffinity(0, {cores.generator})
        turns = [measured(mix, cores, options.seconds, options.factor, options.apart) for _ in range(options.rounds)]
    (FOLDER / "overload.json").write_text(json.dumps(turns, indent=1) + "\n")
    sys.stdout.write(f"{summary(turns)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
