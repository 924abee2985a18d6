"""`credit audit`: what proves the record to outsiders, checkpoints and keys."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.record import opened
from app.cli.results import AsJson, finish

if TYPE_CHECKING:
    from app.audit.checkpoints.places import Place
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
