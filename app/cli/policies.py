"""`credit policy`: what a lender decides by beside the model."""

from typing import Annotated

import typer

from app.cli.results import AsJson, finish

commands = typer.Typer(help="See what another policy would do.", no_args_is_help=True, rich_markup_mode=None)


@commands.callback()
def policy() -> None:
    """Keeps `threshold` a command of its own, though there is no other."""


@commands.command(
    epilog="""\b
Example:
  credit policy threshold --margin 0.10 --lgd 0.75 --data applicants.csv"""
)
def threshold(
    margin: Annotated[
        float, typer.Option(min=0.0001, max=10, help="What a loan that is paid earns, as a share of it.")
    ],
    lgd: Annotated[float, typer.Option(min=0.01, max=1, help="Loss given default, as a share of the loan.")] = 0.75,
    data: Annotated[str, typer.Option(metavar="FILE", help="Applicants with outcomes; else DATA.")] = "",
    model: Annotated[str, typer.Option(help="A version, or an alias.")] = "production",
    as_json: AsJson = False,
) -> None:
    """Find the threshold that earns most on the held-out rows."""
    from app.promotion.earning import earning
    from app.settings import load_settings

    settings = load_settings()
    if data:
        settings = settings.model_copy(update={"train": settings.train.model_copy(update={"data": data})})
    finish(earning(model, margin, lgd, settings), as_json)
