"""`credit audit`: what keeps the record going: retention, migrations, shipping."""

from dataclasses import asdict, dataclass
from typing import Any

import typer

from app.cli.record import opened
from app.cli.results import AsJson, finish

commands = typer.Typer()


@dataclass(frozen=True, slots=True)
class Migrated:
    """A database whose tables are those of this release."""

    database: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.database} has the tables of this release"


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
