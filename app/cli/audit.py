"""`credit audit`: the record of decisions."""

import json
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.cli import proving
from app.cli.record import opened
from app.cli.results import AsJson, finish
from app.terminal import progress

if TYPE_CHECKING:
    from app.audit.commands.ends import Head


commands = typer.Typer(
    help="Read, prove, recompute and keep the record of decisions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


# Without a name of their own they are commands of this group.
commands.add_typer(proving.commands)


def moment(text: str) -> int:
    """ISO 8601, UTC unless it says otherwise; gives microseconds since 1970."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-01-31 or 2026-01-31T12:00:00Z") from None
    read = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    return int(read.timestamp()) * 1_000_000 + read.microsecond


def probability(text: str) -> float:
    """More than 0 and less than 1."""
    try:
        number = float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number") from None
    if not 0 < number < 1:
        raise typer.BadParameter(f"{text} is not more than 0 and less than 1")
    return number


def _time(option: str, text: str) -> Any:
    return typer.Option(option, parser=moment, metavar="TIME", help=f"{text}, in ISO 8601, UTC unless it says so.")


Since = Annotated[int | None, _time("--since", "From this time on")]
Until = Annotated[int | None, _time("--until", "Before this time")]


@dataclass(frozen=True, slots=True)
class Migrated:
    """A database whose tables are those of this release."""

    database: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.database} has the tables of this release"


@dataclass(frozen=True, slots=True)
class Heads:
    """The end of each chain, always as JSON."""

    at: str
    heads: "list[Head]"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return json.dumps(self.to_json(), indent=2)


@commands.command(
    epilog="""\b
Example:
  credit audit show 01a0c450-6c00-7000-80b6-5093f2a50944"""
)
def show(
    key: Annotated[str, typer.Argument(metavar="ID", help="Of the decision, as its answer gave it.")],
    as_json: AsJson = False,
) -> None:
    """Show one decision to a person."""
    from app.audit.commands.show import show
    from app.contract_file import load_contract

    settings, store = opened()
    finish(show(store, key, load_contract(settings)), as_json)


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
    verdict: Annotated[Literal["ACCEPT", "REJECT"] | None, typer.Option(help="With this outcome.")] = None,
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
  credit audit verify --from 2026-01-01 --to 2026-02-01
  credit audit verify --heads heads.json

Ends with 1 when a record is not what was written."""
)
def verify(
    since: Annotated[int | None, _time("--from", "From this time on")] = None,
    until: Annotated[int | None, _time("--to", "Before this time")] = None,
    heads: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What `credit audit heads` printed, kept elsewhere.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that every record is what was written."""
    from app.audit.checkpoints.kept import read_kept
    from app.audit.checkpoints.places import place_of
    from app.audit.commands.ends import read_heads
    from app.audit.commands.verify import verify
    from app.audit.signing import trust_of
    from app.times import Month, microseconds_now

    settings, store = opened()
    elsewhere = read_heads(heads) if heads else []
    kept_from = Month.of(microseconds_now()).plus(-settings.audit.retention_months).start
    total = sum(span.links for span in store.spans(since, until))
    trust = trust_of(settings.audit)
    place = place_of(settings)
    # Before the record: what is checkpointed meanwhile might not have been read yet.
    kept = None if place is None else read_kept(place, trust)
    with progress(total, "links") as done:
        verified = verify(store, since, until, elsewhere, done, kept_from, trust, kept)
    finish(verified, as_json)


@commands.command(
    epilog="""\b
Example:
  credit audit heads > heads.json"""
)
def heads(as_json: AsJson = False) -> None:
    """Print the end of each chain, to be kept elsewhere.

    The last sequence and hash of each writer, as JSON. Kept where nobody here can write, they show when the record
    was cut short.
    """
    from app.audit.commands.ends import heads_of
    from app.times import microseconds_now, utc

    finish(Heads(utc(microseconds_now()), heads_of(opened()[1])), as_json)


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
    from app.audit.commands.registered import registered
    from app.audit.commands.replay import Deciders, replay
    from app.audit.made_by import made_by
    from app.audit.store.lookup import canonical_id
    from app.errors import RecordInvalid

    settings, store = opened()
    deciders = Deciders(registered(settings), store, made_by(settings))
    if key is None:
        repeated = {it.key for it in store.repeated(since, until)}
        with progress(store.count(since, until), "decisions") as done:
            with closing(store.decisions(since, until)) as records:
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
    with progress(store.count(since, until), "decisions") as done:
        with closing(store.decisions(since, until)) as records:
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
    with progress(store.count(since, until), "decisions") as done:
        with closing(store.decisions(since, until)) as records:
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


@commands.command()
def retain(as_json: AsJson = False) -> None:
    """Take away what is older than it may be.

    That is older than the setting audit.retention_months; it also makes partitions ahead. What it took is recorded.
    """
    from app.audit.acts import Actor, Acts
    from app.audit.signing import signer_of
    from app.audit.store.retention import retain
    from app.times import Month, microseconds_now

    settings, store = opened()
    months = settings.audit.retention_months
    retained = retain(store, Month.of(microseconds_now()), months, signer_of(settings.audit))
    if retained.links:
        actor = Actor("credit audit retain", f"older than {months} months")
        Acts(store, settings.audit).keep("retention", actor, {"before": retained.before, "links": retained.links})
    finish(retained, as_json)


@commands.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database's tables up to this release.

    It also makes partitions ahead. The shipper does both for itself.
    """
    from app.audit.store.database import public
    from app.audit.store.schema.migrating import migrate
    from app.times import Month, microseconds_now

    _, store = opened(create=True)
    migrate(store.engine, Month.of(microseconds_now()))
    finish(Migrated(public(store.engine.url)), as_json)


@commands.command()
def ship() -> None:
    """Bring the journal to the database.

    Until told to stop, by SIGTERM or the end of standard input. The server starts one beside itself.
    """
    from app.audit.shipping.process import ship

    raise typer.Exit(ship())
