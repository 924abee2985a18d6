"""`python -m app.training`: train on the data that the settings name, register, and promote if the gate agrees.

Exits 0 when the candidate went into production, 1 when the gate refused it, 2 when there was nothing to judge:
bad data, a bad setting, or no registry.
"""

import sys
from argparse import ArgumentParser
from time import monotonic

from app.errors import CreditError
from app.settings import Settings, load_settings
from app.training.champion import production
from app.training.data import load
from app.training.pipeline import STAGES, train
from app.training.progress import progress
from app.training.report import terminal_report

PASSED, REFUSED, NOT_JUDGED = 0, 1, 2
ALL_STAGES = ("read the data", "ask for the model in production", *STAGES, "register")


def main() -> int:
    """The command line; the exit code is its result."""
    ArgumentParser(prog="python -m app.training", description=__doc__.splitlines()[0]).parse_args()
    try:
        return _run(load_settings())
    except CreditError as error:
        sys.stderr.write(f"error: {error}\n")
        return NOT_JUDGED


def _run(settings: Settings) -> int:
    start = monotonic()
    with progress(ALL_STAGES) as stage:
        stage("read the data")
        dataset = load(settings.train)

        stage("ask for the model in production")
        # MLflow takes seconds to import; bad data must not have to wait for it.
        from app import registry
        from app.training.publish import to_candidate

        outcome = train(dataset, settings, production(settings), stage)

        stage("register")
        registered = registry.document(registry.register(to_candidate(outcome, settings), settings), settings)
        registry.promote(registered, outcome.verdict.passed, outcome.verdict.reasons, settings)
    sys.stdout.write(f"{terminal_report(outcome, settings)}\n\n")
    place = f"now {registry.ALIAS}" if outcome.verdict.passed else "kept out of production"
    sys.stdout.write(f"{registered.name} version {registered.version}: {place} ({monotonic() - start:.1f} s)\n")
    return PASSED if outcome.verdict.passed else REFUSED


if __name__ == "__main__":
    sys.exit(main())
