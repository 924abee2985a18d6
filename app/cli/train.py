"""`credit train`: from data to a registered model, and into production if the gate agrees."""

from time import monotonic

import typer

from app.exits import DONE, REFUSED
from app.terminal import stages

EPILOG = """\b
Examples:
  credit train
  DATA=applicants.csv credit train
  DATA=s3://datasets/2026.parquet MLFLOW_TRACKING_URI=http://mlflow:5000 credit train

Ends with 0 when the candidate went into production, with 1 when the gate refused it, and with 2 when there was nothing
to judge: bad data, a bad setting, or no registry."""


def train() -> None:
    """Train, register the model, and let the gate decide.

    The rows are those of DATA; when the gate agrees, the model goes into production at once. Without DATA it trains
    on the synthetic sample, whose model must decide about nobody.
    """
    from app.settings import load_settings
    from app.training import pipeline
    from app.training.champion import production
    from app.training.data import load
    from app.training.report import terminal_report

    settings = load_settings()
    start = monotonic()
    with stages(["read the data", "ask for the model in production", *pipeline.STAGES, "register"]) as stage:
        stage("read the data")
        dataset = load(settings)

        stage("ask for the model in production")
        # MLflow takes seconds to import; bad data must not have to wait for it.
        from app import registry
        from app.training.publish import to_candidate

        outcome = pipeline.train(dataset, settings, production(settings), stage)

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
