"""`credit`: every command of this project under one name."""

from collections.abc import Sequence
from typing import Annotated

import typer

from app import __version__
from app.cli import audit, batch, console, contracts, keys, outcomes, policies, registry, serve, train
from app.errors import CreditError
from app.exits import FAILED, tell
from app.extras import not_installed

credit = typer.Typer(
    help="Credit-default decisions: train a model, serve it, and prove later what was decided.",
    epilog="""\b
Examples:
  credit train                       train on the synthetic sample, or on DATA
  credit serve --port 8000           serve the model in production
  credit registry list               what is registered, and what the gate said of it
  credit audit show ID               one decision of the record

Every command reads its settings from the environment and configs/config.yaml.""",
    no_args_is_help=True,
    # Help reads the same on a terminal, in a log and in docs/commands.md.
    rich_markup_mode=None,
    # A traceback must not show what variables hold.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
credit.command(epilog=train.EPILOG)(train.train)
credit.command(epilog=serve.EPILOG)(serve.serve)
credit.command(epilog=batch.EPILOG)(batch.batch)
credit.command(epilog=console.EPILOG)(console.console)
credit.command(epilog=outcomes.FAIRNESS)(outcomes.fairness)
credit.add_typer(registry.commands, name="registry")
credit.add_typer(audit.commands, name="audit")
credit.add_typer(outcomes.commands, name="outcomes")
credit.add_typer(contracts.commands, name="contract")
credit.add_typer(policies.commands, name="policy")
credit.add_typer(keys.commands, name="keys")


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"credit {__version__}")
        raise typer.Exit


@credit.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    """Options of `credit` itself."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments, or those of the process, name; gives the exit code.

    Raises SystemExit with the exit code where typer ends the command itself.
    """
    try:
        credit(args=None if arguments is None else list(arguments), prog_name="credit")
    except CreditError as error:
        tell(error)
    except ModuleNotFoundError as error:
        missing = not_installed(error)
        if missing is None:
            raise
        typer.echo(f"error: {missing}", err=True)
    return FAILED
