"""`credit audit`: the letters that refused applicants get."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.record import Since, Until, opened
from app.cli.results import AsJson, finish
from app.user import user

commands = typer.Typer()

By = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who sends it, for the record; the user of this system by default.")
]


@commands.command(
    epilog="""\b
Example:
  credit audit letter 01a0c450-6c00-7000-80b6-5093f2a50944 --output letter.pdf --to "J. Doe" --to "1 Some Street" """
)
def letter(
    key: Annotated[str, typer.Argument(metavar="ID", help="Of a refusal, as its answer gave it.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="Ends with .pdf or .html.")],
    to: Annotated[list[str] | None, typer.Option(metavar="LINE", help="Of the address; as often as needed.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Write the letter about one refusal.

    What it says is kept in the record, without the address.
    """
    from app.audit.signing import signer_of
    from app.audit.store.lookup import canonical_id
    from app.audit.store.review_rows import reviews
    from app.errors import LetterInvalid, RecordInvalid
    from app.letters.template import read_template
    from app.letters.writing import KINDS, keep_letters, letter_of, write_letters

    settings, store = opened()
    if output.suffix not in KINDS:
        raise LetterInvalid(f"--output {output} must end with {' or '.join(KINDS)}")
    template = read_template(settings.letters.template_file)
    canonical = canonical_id(key)
    stored = None if canonical is None else store.decision(canonical)
    if stored is None:
        raise RecordInvalid(f"the database holds no decision {key}; it may be in the journal still")
    made = letter_of(stored, template, to or [], reviews(store, [stored.key]).get(stored.key))
    written, counting = write_letters([made], template, lambda _: output, output)
    keep_letters(store, counting, template, by or user(), signer_of(settings.audit))
    finish(written, as_json)


@commands.command(
    epilog="""\b
Example:
  credit audit letters --since 2026-01-30 --until 2026-01-31 --output letters"""
)
def letters(
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Gets a file a decision, by its id.")],
    since: Since = None,
    until: Until = None,
    kind: Annotated[Literal["pdf", "html"], typer.Option(help="Of the files.")] = "pdf",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Write the letters about all refusals of a time.

    A refusal that the record has a letter about already gets none.
    """
    from app.audit.signing import signer_of
    from app.audit.store.review_rows import final, reviews
    from app.errors import LetterInvalid
    from app.letters.template import read_template
    from app.letters.writing import keep_letters, letter_of, write_letters

    settings, store = opened()
    template = read_template(settings.letters.template_file)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LetterInvalid(f"--output {output} cannot be made: {error.strerror or error}") from error
    by_people = reviews(store)
    told = {it.key for it in store.entries(("letter",), None, None)}
    with closing(store.decisions(since, until)) as records:
        refused = [it for it in records if it.key not in told and final(it.verdict, by_people.get(it.key)) == "REJECT"]
    made = (letter_of(it, template, [], by_people.get(it.key)) for it in refused)
    written, counting = write_letters(made, template, lambda it: output / f"{it.decision_id}.{kind}", output)
    keep_letters(store, counting, template, by or user(), signer_of(settings.audit))
    finish(written, as_json)
