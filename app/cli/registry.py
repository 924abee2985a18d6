"""`credit registry`: the model registry, by hand."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.cli.results import AsJson, finish
from app.user import user

if TYPE_CHECKING:
    from app.audit.acts import Actor

commands = typer.Typer(
    help="List, compare, adopt, promote, roll back and review registered models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Version = Annotated[str, typer.Argument(metavar="VERSION", help="Its number.")]
By = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who does it, for the record; the user of this system by default.")
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")]
ApprovedBy = Annotated[
    str | None, typer.Option(metavar="NAME", help="The second person; audit.four_eyes asks for one.")
]
Alias = Annotated[Literal["production", "challenger"], typer.Option(help="The alias to move.")]


@dataclass(frozen=True, slots=True)
class Rollback:
    """An alias that was moved back."""

    alias: str
    left: str
    version: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.alias} names version {self.version} again; it named version {self.left}"


@dataclass(frozen=True, slots=True)
class ReviewedVersion:
    """A version that somebody has looked at."""

    version: str
    due: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"version {self.version} is reviewed; the next review is due by {self.due}"


@commands.command(
    "list",
    epilog="""\b
Examples:
  credit registry list
  credit registry list --context kind-credit --json""",
)
def list_versions(
    context: Annotated[
        str | None, typer.Option(help="Context of the kubeconfig; its current one when not given.", metavar="NAME")
    ] = None,
    namespace: Annotated[str, typer.Option(help="Namespace of the pods.", metavar="NAME")] = "credit",
    as_json: AsJson = False,
) -> None:
    """List versions with their aliases and figures.

    And with the verdict of the gate, and the pods that serve them.
    """
    from app.promotion.listing import listing
    from app.settings import load_settings

    finish(listing(load_settings(), context, namespace), as_json)


@commands.command(
    epilog="""\b
Example:
  DATA=applicants.csv credit registry compare production 4"""
)
def compare(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="A version's number, or an alias.")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """Compare two versions on the held-out rows of DATA.

    Their figures, and the applicants who change sides between them.
    """
    from app.promotion.comparing import compare
    from app.settings import load_settings

    finish(compare(first, second, load_settings()), as_json)


@commands.command(
    epilog="""\b
Examples:
  DATA=applicants.csv credit registry promote 4
  DATA=applicants.csv credit registry promote 4 --alias challenger

Ends with 0 when the alias names the version, with 1 when the gate refused it."""
)
def promote(
    version: Version,
    alias: Alias = "production",
    by: By = None,
    reason: Reason = "",
    approved_by: ApprovedBy = None,
    as_json: AsJson = False,
) -> None:
    """Let an alias name a version that passes the gate.

    The gate judges the registered model itself, on the held-out rows of DATA. Who did it is recorded.
    """
    from app.promotion.acted import promoted
    from app.settings import load_settings

    finish(promoted(version, alias, _actor(by, reason, approved_by), load_settings()), as_json)


@commands.command(
    epilog="""\b
Example:
  DATA=applicants.csv credit registry adopt 4

Ends with 0 when the version passed the gate, with 1 when the gate refused it."""
)
def adopt(version: Version, by: By = None, reason: Reason = "", as_json: AsJson = False) -> None:
    """Judge a version that was trained anywhere, and give it a verdict and a document. No alias moves.

    The gate judges the registered model itself, on the held-out rows of DATA; the others become its reference
    population.
    """
    from app.audit.acts import acting
    from app.promotion import adopting
    from app.settings import load_settings

    settings = load_settings()
    with acting(settings.audit) as acts:
        adopted = adopting.adopt(version, settings)
        if acts is not None:
            outcome = "passed" if adopted.passed else "refused"
            acts.keep("adoption", _actor(by, reason), {"version": version, "gate": outcome})
    finish(adopted, as_json)


@commands.command(
    epilog="""\b
Examples:
  credit registry rollback
  credit registry rollback --alias challenger"""
)
def rollback(alias: Alias = "production", by: By = None, reason: Reason = "", as_json: AsJson = False) -> None:
    """Let an alias name the version that it named before.

    One person may do that alone: it is for emergencies.
    """
    from app.audit.acts import acting
    from app.registry import aliases
    from app.settings import load_settings

    settings = load_settings()
    with acting(settings.audit) as acts:
        moved = Rollback(alias, *aliases.roll_back(alias, settings))
        if acts is not None:
            acts.keep("rollback", _actor(by, reason), {"alias": alias, "from": moved.left, "to": moved.version})
    finish(moved, as_json)


@commands.command(
    epilog="""\b
Example:
  credit registry review 4 --due 2027-01-31 --by "J. Doe" --reason "calibration within its intervals in 2026\""""
)
def review(
    version: Version,
    due: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Of the next review.")],
    by: By = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Record that somebody has reviewed a version, and when that is due again.

    The day is a tag of the version; once it has passed, an alert tells of it.
    """
    from app.audit.acts import acting
    from app.registry import aliases
    from app.settings import load_settings

    settings, day = load_settings(), due.strftime("%Y-%m-%d")
    with acting(settings.audit) as acts:
        aliases.set_review_due(version, day, settings)
        if acts is not None:
            acts.keep("model_review", _actor(by, reason), {"version": version, "due": day})
    finish(ReviewedVersion(version, day), as_json)


@commands.command(
    epilog="""\b
Example:
  credit registry pull models:/credit-default-model@production

Ends with 0 and prints the folder, with 5 when the registry knows no such model, with 4 when the model must not be
served, with 3 when the registry cannot be reached, and with 1 after any other error."""
)
def pull(
    uri: Annotated[
        str, typer.Argument(metavar="URI", help="models:/name@alias, models:/name/version or runs:/run/path.")
    ],
) -> None:
    """Bring a model into the cache and print its folder.

    The server does the same before it serves one.
    """
    from app.registry.bounded import pull_and_print

    raise typer.Exit(pull_and_print(uri))


def _actor(by: str | None, reason: str, approved_by: str | None = None) -> "Actor":
    from app.audit.acts import Actor

    return Actor(by or user(), reason, approved_by)
