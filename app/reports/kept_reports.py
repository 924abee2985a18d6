"""Keeps reports of outcomes in the record, signed: what was known when, read in a moment by pages and alerts."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.audit.chain import Chain, Entry, link_of
from app.audit.signing import Signer
from app.audit.store.repository import Store
from app.errors import RecordInvalid
from app.ids import Ids
from app.reports.outcome_tables import OutcomeReport
from app.times import microseconds_now, utc

NAME = "outcomes"
READER = TypeAdapter(OutcomeReport)


def keep_report(store: Store, report: OutcomeReport, signer: Signer) -> None:
    """In a chain of its own. Raises RecordUnavailable."""
    entry = Entry("report", NAME, microseconds_now(), {"report": report.to_json()})
    store.insert([link_of(*it) for it in Chain(Ids().next()).seal([entry])], signer)


def latest_report(store: Store) -> tuple[str, OutcomeReport] | None:
    """When the latest was made, and what it says; None where none is kept.

    Raises RecordUnavailable, and RecordInvalid for one that is not what was written, or of another release.
    """
    stored = store.latest("report", NAME)
    if stored is None:
        return None
    link = stored.to_link()
    try:
        return utc(link.at), READER.validate_python(_numbers(link.fields["report"]))
    except (KeyError, ValidationError) as error:
        raise RecordInvalid(
            "the latest report of outcomes is of another release; credit outcomes report --keep makes one anew"
        ) from error


def _numbers(document: Any) -> Any:
    """NaN where JSON has null: no figure is anything but a number."""
    if isinstance(document, dict):
        return {name: _numbers(value) for name, value in document.items() if name != "note"}
    if isinstance(document, list):
        return [_numbers(value) for value in document]
    return float("nan") if document is None else document
