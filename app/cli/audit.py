"""`credit audit`: the record of decisions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli import letters, proving, upkeep
from app.cli.record import Since, Until, decisions_of, opened
from app.cli.results import AsJson, finish

if TYPE_CHECKING:
    from app.audit.commands.replay import Deciders
    from app.audit.store.repository import Store
    from app.settings import Settings


commands = typer.Typer(
    help="Read, prove, recompute and keep the record of decisions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


# Without a name of their own they are commands of this group.
commands.add_typer(letters.commands)
commands.add_typer(proving.commands)
commands.add_typer(upkeep.commands)


def probability(text: str) -> float:
    """More than 0 and less than 1."""
    try:
        number = float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number") from None
    if not 0 < number < 1:
        raise typer.BadParameter(f"{text} is not more than 0 and less than 1")
    return number


def _deciders(settings: "Settings", store: "Store") -> "Deciders":
    """Those of the record's own day. Loads what models need."""
    from app.audit.commands.registered import registered
    from app.audit.commands.replay import Deciders
    from app.audit.made_by import made_by

    return Deciders(registered(settings), store, made_by(settings))


@commands.command(
    epilog="""\b
Example:
  credit audit show 01a0c450-6c00-7000-80b6-5093f2a50944 --factors"""
)
def show(
    key: Annotated[str, typer.Argument(metavar="ID", help="Of the decision, as its answer gave it.")],
    factors: Annotated[
        bool, typer.Option("--factors", help="Also what each factor did, by the model of its day.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one decision to a person."""
    from app.audit.commands.show import show
    from app.contract_file import load_contract

    settings, store = opened()
    finish(show(store, key, load_contract(settings), _deciders(settings, store) if factors else None), as_json)


@commands.command(
    epilog="""\b
Examples:
  credit audit find --application A-2026-001734
  credit audit find --verdict REJECT --since 2026-01-31 --size 100"""
)
def find(
    application: Annotated[str | None, typer.Option(metavar="ID", help="On this application.")] = None,
    request: Annotated[str | None, typer.Option(metavar="ID", help="Of the request with this X-Request-ID.")] = None,
    caller: Annotated[str | None, typer.Option(metavar="NAME", help="That this caller asked for.")] = None,
    verdict: Annotated[Literal["ACCEPT", "REJECT", "REVIEW"] | None, typer.Option(help="With this outcome.")] = None,
    since: Since = None,
    until: Until = None,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="Most to list at once.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Go on after a list that gave this cursor.")] = None,
    as_json: AsJson = False,
) -> None:
    """List decisions by what is known of them, newest first."""
    from app.audit.commands.listed import listed
    from app.audit.store.finding import Criteria

    criteria = Criteria(application, request, caller, verdict, since, until)
    finish(listed(opened()[1], criteria, size, cursor), as_json)


@commands.command(
    epilog="""\b
Examples:
  credit audit replay --since 2026-01-31
  credit audit replay 01a0c450-6c00-7000-80b6-5093f2a50944

Ends with 1 when a decision comes out differently in any bit."""
)
def replay(
    key: Annotated[
        str | None, typer.Argument(metavar="ID", help="Of one decision; without it those of the given time.")
    ] = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Recompute decisions with the model and the policy that made them."""
    from app.audit.commands.replay import replay
    from app.audit.store.lookup import canonical_id
    from app.errors import RecordInvalid

    settings, store = opened()
    deciders = _deciders(settings, store)
    if key is None:
        repeated = {it.key for it in store.repeated(since, until)}
        with decisions_of(store, since, until) as (records, done):
            replayed = replay(records, deciders, done, repeated)
        finish(replayed, as_json)
    canonical = canonical_id(key or "")
    stored = None if canonical is None else store.decision(canonical)
    if stored is None:
        raise RecordInvalid(f"the database holds no decision {key}; it may be in the journal still")
    finish(replay([stored], deciders, lambda _: None), as_json)


@commands.command(
    epilog="""\b
Example:
  credit audit simulate --threshold 0.08 --since 2026-01-31"""
)
def simulate(
    threshold: Annotated[
        float, typer.Option(parser=probability, metavar="PROBABILITY", help="REJECT from this probability on.")
    ],
    ids: Annotated[int, typer.Option(help="How many ids to show of those who change sides.")] = 10,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Tell what decisions would have been at another threshold."""
    from app.audit.commands.simulate import simulate

    store = opened()[1]
    with decisions_of(store, since, until) as (records, done):
        simulated = simulate(records, store, threshold, ids, done)
    finish(simulated, as_json)


@commands.command(
    epilog="""\b
Example:
  credit audit export --output january.parquet --since 2026-01-01 --until 2026-02-01"""
)
def export(
    output: Annotated[Path, typer.Option(metavar="FILE", help="Ends with .parquet or .csv.")],
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Write decisions as a table into a file."""
    from app.audit.commands.export import export
    from app.contract_file import load_contract

    settings, store = opened()
    with decisions_of(store, since, until) as (records, done):
        exported = export(records, store, load_contract(settings), output, done)
    finish(exported, as_json)


@commands.command(
    epilog="""\b
Example:
  credit audit history --since 2026-01-31"""
)
def history(since: Since = None, until: Until = None, as_json: AsJson = False) -> None:
    """Tell who did what to models and record.

    Promotions, rollbacks, adoptions and retentions with a person and a reason, and the policies that decided.
    """
    from app.audit.commands.history import history

    finish(history(opened()[1], since, until), as_json)
