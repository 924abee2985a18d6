"""Keeps reports in the record, signed: what was known when, read in a moment by pages and alerts."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.audit.chain import Chain, Entry, link_of
from app.audit.signing import Signer
from app.audit.store.repository import Store
from app.errors import RecordInvalid
from app.ids import Ids
from app.reports.fairness import FairnessReport
from app.reports.outcome_tables import OutcomeReport
from app.times import microseconds_now, utc

Report = TypeVar("Report", OutcomeReport, FairnessReport)


@dataclass(frozen=True, slots=True)
class KeptReport(Generic[Report]):
    """One kind of report."""

    name: str
    reader: TypeAdapter[Report]
    command: str
    """That makes and keeps one."""


OUTCOMES = KeptReport("outcomes", TypeAdapter(OutcomeReport), "credit outcomes report --keep")
FAIRNESS = KeptReport("fairness", TypeAdapter(FairnessReport), "credit fairness --groups FILE --keep")


def keep_report(store: Store, kind: KeptReport[Report], report: Report, signer: Signer) -> None:
    """In a chain of its own. Raises RecordUnavailable."""
    entry = Entry("report", kind.name, microseconds_now(), {"report": report.to_json()})
    store.insert([link_of(*it) for it in Chain(Ids().next()).seal([entry])], signer)


def latest_report(store: Store, kind: KeptReport[Report]) -> tuple[str, Report] | None:
    """When the latest was made, and what it says; None where none is kept.

    Raises RecordUnavailable, and RecordInvalid for one that is not what was written, or of another release.
    """
    stored = store.latest("report", kind.name)
    if stored is None:
        return None
    link = stored.to_link()
    try:
        return utc(link.at), kind.reader.validate_python(_numbers(link.fields["report"]))
    except (KeyError, ValidationError) as error:
        raise RecordInvalid(
            f"the latest report of {kind.name} is of another release; {kind.command} makes one anew"
        ) from error


def _numbers(document: Any) -> Any:
    """NaN where JSON has null: no figure is anything but a number."""
    if isinstance(document, dict):
        return {name: _numbers(value) for name, value in document.items() if name != "note"}
    if isinstance(document, list):
        return [_numbers(value) for value in document]
    return float("nan") if document is None else document
