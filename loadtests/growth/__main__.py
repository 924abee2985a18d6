"""`python -m loadtests.growth DATA`: how what the service costs grows with what there is of it.

Each thing is made larger step by step while everything else stays; the exponent is the slope of the cost over the size,
both in logarithms: 0 where it does not matter how many there are, 1 where twice as many cost twice as much.
"""

import argparse
import sys
from collections.abc import Iterator

from app.policy_file import load_policy
from app.settings import Settings, load_settings
from app.terminal import table
from app.training.data import load
from loadtests.growth.deciding import of_factors, of_rules, of_trees
from loadtests.growth.keeping import of_backlog, of_keys
from loadtests.growth.series import HEADER, Series
from loadtests.growth.training import MULTIPLES, of_rows


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.growth", description=__doc__.splitlines()[0])
    parser.add_argument("data", help="path of a CSV file with the rows")
    parser.add_argument(
        "--times",
        type=int,
        default=8,
        help=f"most times over that its rows are trained on, of {MULTIPLES}; 0: no training; default: %(default)s",
    )
    options = parser.parse_args()
    lines = [HEADER]
    for series in measured(options.data, options.times):
        lines.append(series.line())
        sys.stderr.write(f"{', '.join(series.line())}\n")
    sys.stdout.write(f"{table(lines)}\n")
    return 0


def measured(data: str, times: int) -> Iterator[Series]:
    """All series, the quick ones first."""
    settings = load_settings()
    policy = load_policy(settings)
    dataset = load(Settings(train=settings.train.model_copy(update={"data": data})))
    yield from of_keys()
    yield from of_rules(dataset, policy)
    yield from of_trees(dataset, policy)
    yield from of_factors(policy)
    yield from of_backlog()
    if times:
        yield from of_rows(data, times)


if __name__ == "__main__":
    sys.exit(main())
