"""`credit outcomes`: what became of the decisions."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.record import Since, Until, decisions_of, opened
from app.cli.results import AsJson, AsMarkdown, finish, finish_report
from app.terminal import progress
from app.user import user

commands = typer.Typer(
    help="Take in what became of the decisions, and see what that says of the models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@commands.command(
    epilog="""\b
Example:
  credit outcomes load september.csv --by "J. Doe, collections"

FILE is a CSV with the columns decision_id or application_id, outcome (as the contract has it) and observed (a day)."""
)
def load(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Of outcomes.")],
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who says so, for the record; the user of this system by default."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep outcomes of accepted decisions in the record.

    All of the file or nothing. What is known already is left as it is; a correction is kept beside what it corrects.
    """
    from app.audit.signing import signer_of
    from app.contract_file import load_contract
    from app.outcomes.given import read_given
    from app.outcomes.loading import load_outcomes

    settings, store = opened()
    given = read_given(file, load_contract(settings))
    with progress(len(given), "outcomes") as done:
        loaded = load_outcomes(store, given, file.name, by or user(), signer_of(settings.audit), done)
    finish(loaded, as_json)


@commands.command(
    epilog="""\b
Example:
  credit outcomes report --since 2026-01-01"""
)
def report(
    since: Since = None,
    until: Until = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep it in the record, for the console's page and the alerts.")
    ] = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Compare what was expected with what happened, by month of decision and version.

    Approval, bad rate, ROC AUC, Brier score and calibration among the accepted, each with its interval.
    """
    from app.audit.signing import signer_of
    from app.audit.store.outcome_rows import outcomes
    from app.audit.store.review_rows import reviews
    from app.contract_file import load_contract
    from app.reports.decided import read_decisions
    from app.reports.kept_reports import OUTCOMES, keep_report
    from app.reports.performance import outcome_report

    if keep and (since is not None or until is not None):
        raise typer.BadParameter("a report that is kept is about the whole record: leave out --since and --until")
    settings, store = opened()
    contract, known, by_people = load_contract(settings), outcomes(store), reviews(store)
    with decisions_of(store, since, until) as (records, done):
        found = outcome_report(read_decisions(records, store, by_people, done), known, store, contract)
    if keep:
        keep_report(store, OUTCOMES, found, signer_of(settings.audit))
    finish_report(found, as_json, as_markdown)


FAIRNESS = """\b
Example:
  credit fairness --groups groups.csv --since 2026-01-01 --factors

FILE is a CSV with application_id and a column for each kind of group. It is kept nowhere; --keep keeps the figures."""


def fairness(
    groups: Annotated[Path, typer.Option(metavar="FILE", help="Which applications are of which groups.")],
    since: Since = None,
    until: Until = None,
    factors: Annotated[
        bool, typer.Option("--factors", help="Tell what each factor does to the distance; needs the models.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep it in the record, for the console's page.")] = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Compare what was decided about groups that no model sees.

    Approval rates by month and version, each beside that of the largest group, with its interval; approval and
    default rates of applicants whom the model holds for equally risky; and who changes sides with a challenger.
    """
    from app.audit.commands.registered import registered
    from app.audit.commands.replay import Deciders
    from app.audit.signing import signer_of
    from app.audit.store.outcome_rows import outcomes
    from app.audit.store.recorded_policies import RecordedPolicies
    from app.audit.store.review_rows import reviews
    from app.outcomes.given import read_groups
    from app.reports.decided import read_decisions
    from app.reports.fairness import fairness_report
    from app.reports.group_bands import GroupBands
    from app.reports.group_gaps import GroupGaps
    from app.reports.group_swaps import GroupSwaps
    from app.reports.kept_reports import FAIRNESS as KIND, keep_report

    names, known = read_groups(groups)
    settings, store = opened()
    bands, swaps = GroupBands(names, outcomes(store)), GroupSwaps(names, RecordedPolicies(store))
    gaps = GroupGaps(names, Deciders(registered(settings), store)) if factors else None
    by_people = reviews(store)
    with decisions_of(store, since, until) as (records, done):
        found = fairness_report(read_decisions(records, store, by_people, done), known, bands, swaps, gaps)
    if keep:
        keep_report(store, KIND, found, signer_of(settings.audit))
    finish_report(found, as_json, as_markdown)
