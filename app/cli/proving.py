"""`credit audit`: what proves the record: its chains, their ends, checkpoints and keys."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.record import opened, time_option
from app.cli.results import AsJson, finish
from app.terminal import progress

if TYPE_CHECKING:
    from app.audit.checkpoints.places import Place
    from app.audit.commands.ends import Head
    from app.settings import Settings


commands = typer.Typer()


@dataclass(frozen=True, slots=True)
class Keys:
    """Public keys, in hex."""

    keys: list[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(self.keys) or "none: this machine has no key, and audit.trusted_keys names none"


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
Examples:
  credit audit verify --from 2026-01-01 --to 2026-02-01
  credit audit verify --heads heads.json

Ends with 1 when a record is not what was written."""
)
def verify(
    since: Annotated[int | None, time_option("--from", "From this time on")] = None,
    until: Annotated[int | None, time_option("--to", "Before this time")] = None,
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


@commands.command()
def checkpoint(as_json: AsJson = False) -> None:
    """Sign where all chains end, and keep that elsewhere.

    As one object at the setting audit.checkpoints, which verify compares with the record. A CronJob does it every few
    minutes.
    """
    from app.audit.checkpoints.making import checkpoint
    from app.audit.signing import signer_of, trust_of

    settings, store = opened()
    finish(checkpoint(store, _place(settings), signer_of(settings.audit), trust_of(settings.audit)), as_json)


@commands.command(
    epilog="""\b
Example:
  credit audit prove 01a0c450-6c00-7000-80b6-5093f2a50944 > proof.json"""
)
def prove(key: Annotated[str, typer.Argument(metavar="ID", help="Of the decision, as its answer gave it.")]) -> None:
    """Print the proof of one decision, for somebody who has no part of the record.

    The decision's record, and why it must have been among those of a checkpoint. `credit audit check` checks it.
    """
    from app.audit.checkpoints.proofs import prove
    from app.audit.signing import trust_of
    from app.audit.store.lookup import canonical_id

    settings, store = opened()
    proof = prove(store, canonical_id(key) or key, _place(settings), trust_of(settings.audit))
    typer.echo(proof.to_text(), nl=False)


@commands.command(
    epilog="""\b
Example:
  credit audit check proof.json --key 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"""
)
def check(
    proof: Annotated[Path, typer.Argument(metavar="FILE", help="What `credit audit prove` printed.")],
    key: Annotated[
        list[str] | None, typer.Option(help="The service's public key, as `credit audit keys` prints it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the proof of one decision, without the record's database.

    The key may also be in the setting audit.trusted_keys, or the service's own on its machine.
    """
    from app.audit.checkpoints.proofs import check
    from app.audit.signing import Trust, trust_of
    from app.errors import RecordInvalid
    from app.settings import load_settings

    trust = Trust(frozenset(key)) if key else trust_of(load_settings().audit)
    try:
        text = proof.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordInvalid(f"{proof} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from error
    finish(check(text, trust), as_json)


@commands.command()
def keys(as_json: AsJson = False) -> None:
    """Print the public keys that verify believes.

    The service's own, whose private one signs the record, and those of the setting audit.trusted_keys.
    """
    from app.audit.signing import trust_of
    from app.settings import load_settings

    finish(Keys(sorted(trust_of(load_settings().audit).keys)), as_json)


def _place(settings: "Settings") -> "Place":
    from app.audit.checkpoints.places import place_of
    from app.errors import SettingInvalid

    place = place_of(settings)
    if place is None:
        raise SettingInvalid(
            "setting audit.checkpoints (environment: AUDIT__CHECKPOINTS) is empty; set a folder, or s3://bucket/prefix"
            " of a bucket with object lock"
        )
    return place
