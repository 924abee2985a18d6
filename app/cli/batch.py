"""`credit batch`: decide on every row of files."""

import asyncio
import re
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.errors import DataInvalid
from app.exits import DONE, FAILED, tell
from app.terminal import progress

if TYPE_CHECKING:
    from app.batch.job import Job, Scored
    from app.scoring.decider import Decider
    from app.settings import Settings
    from app.tables.find import Input

EPILOG = """\b
Examples:
  credit batch --input 'applicants/*.csv' --output decisions --reasons
  credit batch --input s3://datasets/2026/*.parquet --output s3://datasets/decisions --share 0/2

What the same model has scored under the same policy is passed over, so that a job that was cut short goes on where it
stopped. Ends with 0 when every file is scored, with 2 when a file, a setting or the model cannot be used; the other
files are scored."""


def share_of_text(text: str) -> tuple[int, int]:
    """Index and count of INDEX/COUNT."""
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if found is None or int(found[1]) >= int(found[2]):
        raise typer.BadParameter(f"{text!r} is not an index and a count above it, as 0/4")
    return int(found[1]), int(found[2])


def batch(
    pattern: Annotated[
        str, typer.Option("--input", help="Path or s3:// address; its last part may hold * and ?.", metavar="FILES")
    ],
    output: Annotated[str, typer.Option(help="Folder or s3:// address for a Parquet file an input.", metavar="FOLDER")],
    reasons: Annotated[bool, typer.Option("--reasons", help="Add the codes of the refusals' reasons.")] = False,
    model: Annotated[
        str | None,
        typer.Option(
            help="models:/name@alias, models:/name/version or runs:/run/path; MODEL_URI when not given.", metavar="URI"
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id", help="Column that tells the rows apart; by default the nameless first one, or 1, 2, 3…",
            metavar="COLUMN",
        ),
    ] = None,
    # The parser's pair; typer would read a declared one as two values.
    share: Annotated[
        Any, typer.Option(parser=share_of_text, help="Which of how many workers this is.", metavar="INDEX/COUNT")
    ] = "0/1",
) -> None:  # fmt: skip
    """Decide on every row of CSV or Parquet files."""
    from app.batch.job import Job, Options, share_of
    from app.batch.output import output_folder
    from app.settings import load_settings
    from app.tables.find import find

    settings = load_settings()
    endpoint = settings.train.s3_endpoint_url
    files = share_of(find(pattern, endpoint), *share)
    folder = output_folder(output, endpoint)
    decider = decider_of(model or settings.mlflow.model_uri, settings)
    raise typer.Exit(_run(Job(decider, folder, Options(reasons, id_column)), files))


def decider_of(uri: str, settings: "Settings") -> "Decider":
    """The model that a URI names, under the policy of the settings. Raises ModelError, PolicyInvalid."""
    from app.models.load import load_entry
    from app.policy_file import load_policy
    from app.scoring.decider import Decider
    from app.serving.live.pull_process import pull

    policy = load_policy(settings)
    entry = asyncio.run(pull(uri, settings.serving.pull_timeout_seconds))
    return Decider(load_entry(entry, settings.serving), policy)


def _run(job: "Job", files: Sequence["Input"]) -> int:
    code = DONE
    for file in files:
        start = monotonic()
        try:
            with progress(file.size, f"bytes of {file.name}") as done:
                scored = job.score(file, done)
        except DataInvalid as error:
            tell(error)
            code = FAILED
            continue
        typer.echo(_line(file.name, scored, monotonic() - start))
    return code


def _line(name: str, scored: "Scored", seconds: float) -> str:
    about = f"{name}: {scored.rows:,} rows, {scored.refused:,} refused"
    if scored.to_review:
        about += f", {scored.to_review:,} to review"
    if scored.skipped:
        return f"{about}, scored before"
    return f"{about}, {seconds:.1f} s, {scored.rows / seconds:,.0f} rows a second"
