"""`python -m app.batch`: decide on every row of CSV or Parquet files, into Parquet files, and go on where it stopped.

Exits 0 when every file is scored, 2 when a file, a setting or the model cannot be used; the other files are scored.
"""

import asyncio
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from time import monotonic

from tqdm import tqdm

from app.batch.files import Input, find, output_folder
from app.batch.job import Job, Options, Scored, share_of
from app.errors import CreditError, DataInvalid
from app.models.load import load_entry
from app.policy_file import load_policy
from app.scoring.decider import Decider
from app.serving.live.pull_process import pull
from app.settings import Settings, load_settings

DONE, FAILED = 0, 2


def main(arguments: Sequence[str]) -> int:
    """The command line; the exit code is its result."""
    parser = ArgumentParser(prog="python -m app.batch", description="Decide on every row of CSV or Parquet files.")
    parser.add_argument("--input", required=True, help="path or s3:// address; its last part may hold * and ?")
    parser.add_argument("--output", required=True, help="folder or s3:// address for a Parquet file an input")
    parser.add_argument("--reasons", action="store_true", help="add the codes of the refusals' reasons")
    parser.add_argument("--model", help="models:/name@alias, models:/name/version or runs:/run/path")
    parser.add_argument("--id", help="column that tells the rows apart; default: the nameless first one, or 1, 2, 3…")
    parser.add_argument("--share", type=share, default=(0, 1), help="which of how many workers this is, as 0/4")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings()
        endpoint = settings.train.s3_endpoint_url
        files = share_of(find(options.input, endpoint), *options.share)
        output = output_folder(options.output, endpoint)
        decider = _decider(options.model or settings.mlflow.model_uri, settings)
        return _run(Job(decider, output, Options(options.reasons, options.id)), files)
    except CreditError as error:
        return _failed(error)


def share(text: str) -> tuple[int, int]:
    """Index and count of INDEX/COUNT."""
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if found is None or int(found[1]) >= int(found[2]):
        raise ArgumentTypeError(f"{text!r} is not an index and a count above it, as 0/4")
    return int(found[1]), int(found[2])


def _decider(uri: str, settings: Settings) -> Decider:
    policy = load_policy(settings)
    entry = asyncio.run(pull(uri, settings.serving.pull_timeout_seconds))
    return Decider(load_entry(entry, settings.serving), policy)


def _run(job: Job, files: Sequence[Input]) -> int:
    code = DONE
    size = sum(file.size for file in files)
    # On a terminal only: a log has the line a file.
    with tqdm(total=size, unit="B", unit_scale=True, disable=None, leave=False) as bar:
        for file in files:
            bar.set_description(file.name)
            start = monotonic()
            try:
                scored = job.score(file, bar.update)
            except DataInvalid as error:
                code = _failed(error)
                continue
            bar.write(_line(file.name, scored, monotonic() - start), file=sys.stdout)
            sys.stdout.flush()
    return code


def _line(name: str, scored: Scored, seconds: float) -> str:
    about = f"{name}: {scored.rows:,} rows, {scored.refused:,} refused"
    if scored.skipped:
        return f"{about}, scored before"
    return f"{about}, {seconds:.1f} s, {scored.rows / seconds:,.0f} rows a second"


def _failed(error: CreditError) -> int:
    sys.stderr.write(f"error: {error}\n")
    return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
