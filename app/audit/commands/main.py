"""The commands about the record of decisions."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from app.audit.commands.verify import Head, heads_of, read_heads, verify
from app.audit.store.database import open_engine, public
from app.audit.store.repository import Store
from app.errors import CreditError, RecordInvalid
from app.settings import Settings, load_settings
from app.terminal import progress
from app.times import Month, microseconds_now, utc

DONE, DIFFERENT, FAILED = 0, 1, 2


class Result(Protocol):
    """What a command found: `str` for a terminal."""

    def to_json(self) -> dict[str, Any]: ...


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
    heads: list[Head]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return json.dumps(self.to_json(), indent=2)


def main(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code: 0 done, 1 something is not as it was written, 2 it could not be done."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        if options.command == "ship":
            from app.audit.shipping.process import ship

            return ship(settings)
        store = Store(open_engine(settings.audit.database_uri, create=options.command == "migrate"))
        result = COMMANDS[options.command](options, settings, store)
    except CreditError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    text = json.dumps(result.to_json(), indent=2) if options.json else str(result)
    sys.stdout.write(f"{text}\n")
    return DONE if getattr(result, "passed", True) else DIFFERENT


def moment(text: str) -> int:
    """ISO 8601, UTC unless it says otherwise; gives microseconds since 1970."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-01-31 or 2026-01-31T12:00:00Z") from None
    read = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    return int(read.timestamp()) * 1_000_000 + read.microsecond


def _probability(text: str) -> float:
    number = float(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0 and less than 1")
    return number


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="for programs")
    parser = argparse.ArgumentParser(prog="python -m app.audit", description="The record of decisions.")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, what: str, *period: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=what, description=what, parents=[shared])
        for option, which in zip(period, ("since", "until"), strict=False):
            command.add_argument(option, dest=which, type=moment, metavar="TIME", help="ISO 8601, UTC")
        return command

    add("migrate", "bring the database's tables up to this release, and make partitions ahead")
    add("ship", "bring the journal to the database until told to stop: SIGTERM, or the end of standard input")
    add("retain", "take what is older than audit.retention_months, and make partitions ahead")
    verified = add("verify", "whether every record is what was written; exits 1 when one is not", "--from", "--to")
    verified.add_argument("--heads", type=Path, metavar="FILE", help="what `heads` printed, kept elsewhere")
    add("heads", "the last sequence and hash of each writer, to be kept elsewhere")
    replayed = add("replay", "recompute decisions; exits 1 when one differs in any bit", "--since", "--until")
    replayed.add_argument("id", nargs="?", help="of one decision; without it those of the given time")
    exported = add("export", "decisions as a table in a file", "--since", "--until")
    exported.add_argument("--output", type=Path, required=True, help="ends with .parquet or .csv")
    add("show", "one decision, for people").add_argument("id")
    simulated = add("simulate", "what decisions would have been at another threshold", "--since", "--until")
    simulated.add_argument("--threshold", type=_probability, required=True, help="REJECT from this probability on")
    simulated.add_argument("--ids", type=int, default=10, help="ids shown of each side (default: %(default)s)")
    return parser


def _migrate(_: argparse.Namespace, __: Settings, store: Store) -> Result:
    from app.audit.store.schema.migrating import migrate

    migrate(store.engine, Month.of(microseconds_now()))
    return Migrated(public(store.engine.url))


def _retain(_: argparse.Namespace, settings: Settings, store: Store) -> Result:
    from app.audit.store.retention import retain

    return retain(store, Month.of(microseconds_now()), settings.audit.retention_months)


def _verify(options: argparse.Namespace, settings: Settings, store: Store) -> Result:
    heads = read_heads(options.heads) if options.heads else []
    kept_from = Month.of(microseconds_now()).plus(-settings.audit.retention_months).start
    total = sum(span.links for span in store.spans(options.since, options.until))
    with progress(total, "links") as done:
        return verify(store, options.since, options.until, heads, done, kept_from)


def _heads(_: argparse.Namespace, __: Settings, store: Store) -> Result:
    return Heads(utc(microseconds_now()), heads_of(store))


def _replay(options: argparse.Namespace, settings: Settings, store: Store) -> Result:
    from app.audit.commands.registered import registered
    from app.audit.commands.replay import Deciders, replay
    from app.audit.store.lookup import canonical_id

    deciders = Deciders(registered(settings), store)
    if options.id is None:
        with progress(store.count(options.since, options.until), "decisions") as done:
            with closing(store.decisions(options.since, options.until)) as records:
                return replay(records, deciders, done)
    key = canonical_id(options.id)
    stored = None if key is None else store.decision(key)
    if stored is None:
        raise RecordInvalid(f"the database holds no decision {options.id}; it may be in the journal still")
    return replay([stored], deciders, lambda _: None)


def _export(options: argparse.Namespace, _: Settings, store: Store) -> Result:
    from app.audit.commands.export import export

    with progress(store.count(options.since, options.until), "decisions") as done:
        with closing(store.decisions(options.since, options.until)) as records:
            return export(records, store, options.output, done)


def _show(options: argparse.Namespace, _: Settings, store: Store) -> Result:
    from app.audit.commands.show import show

    return show(store, options.id)


def _simulate(options: argparse.Namespace, _: Settings, store: Store) -> Result:
    from app.audit.commands.simulate import simulate

    with progress(store.count(options.since, options.until), "decisions") as done:
        with closing(store.decisions(options.since, options.until)) as records:
            return simulate(records, store, options.threshold, options.ids, done)


COMMANDS: dict[str, Callable[[argparse.Namespace, Settings, Store], Result]] = {
    "migrate": _migrate,
    "retain": _retain,
    "verify": _verify,
    "heads": _heads,
    "replay": _replay,
    "export": _export,
    "show": _show,
    "simulate": _simulate,
}
