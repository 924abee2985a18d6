"""`credit train`: from data to a registered model, and into production if the gate agrees."""

from time import monotonic
from typing import Annotated

import typer

from app.exits import DONE, REFUSED
from app.terminal import stages

EPILOG = """\b
Examples:
  credit train
  DATA=applicants.csv credit train
  TRAIN__GROUPS='["sex"]' DATA=applicants.csv credit train --alternatives 30
  DATA=s3://datasets/2026.parquet MLFLOW_TRACKING_URI=http://mlflow:5000 credit train

Ends with 0 when the candidate went into production, with 1 when the gate refused it, and with 2 when there was nothing
to judge: bad data, a bad setting, or no registry."""


def train(
    alternatives: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=1_000, help="How many others to compare by the groups of train.groups."),
    ] = 0,
    take: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, max=1_000, help="Train this one of the alternatives instead.")
    ] = 0,
) -> None:
    """Train, register the model, and let the gate decide.

    The rows are those of DATA; when the gate agrees, the model goes into production at once. Without DATA it trains
    on the synthetic sample, whose model must decide about nobody.
    """
    from app.settings import load_settings
    from app.training import pipeline
    from app.training.alternatives import drawn, require_groups
    from app.training.champion import production
    from app.training.data import load
    from app.training.fit import DEFAULT
    from app.training.report import terminal_report

    settings = load_settings()
    if alternatives:
        require_groups(settings.train.groups)
    start = monotonic()
    steps = [*pipeline.STAGES[:-1], *([pipeline.SEARCH] if alternatives else []), pipeline.STAGES[-1]]
    with stages(["read the data", "ask for the model in production", *steps, "register"]) as stage:
        stage("read the data")
        dataset = load(settings)

        stage("ask for the model in production")
        # MLflow takes seconds to import; bad data must not have to wait for it.
        from app import registry
        from app.training.publish import to_candidate

        recipe = drawn(take, dataset.contract, settings.train.seed) if take else DEFAULT
        outcome = pipeline.train(dataset, settings, production(settings), stage, recipe, alternatives)

        stage("register")
        registered = registry.document(registry.register(to_candidate(outcome, settings), settings), settings)
        # Where two people have to agree, it waits for them with its verdict.
        move = registry.write_verdict if settings.audit.four_eyes else registry.promote
        move(registered, outcome.verdict.passed, outcome.verdict.reasons, settings)
    typer.echo(f"{terminal_report(outcome, settings)}\n")
    promoted = "passed; two people promote it" if settings.audit.four_eyes else f"now {registry.ALIAS}"
    place = promoted if outcome.verdict.passed else "kept out of production"
    typer.echo(f"{registered.name} version {registered.version}: {place} ({monotonic() - start:.1f} s)")
    raise typer.Exit(DONE if outcome.verdict.passed else REFUSED)
