"""Finds decisions by what people know of them, newest first, a page at a time."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, and_, or_

from app.audit.store.lookup import canonical_id
from app.audit.store.repository import Store, Stored
from app.audit.store.schema.tables import decisions
from app.errors import CursorInvalid
from app.times import microseconds, utc


@dataclass(frozen=True, slots=True)
class Criteria:
    """What the decisions have in common; None does not matter."""

    application_id: str | None = None
    request_id: str | None = None
    caller: str | None = None
    verdict: str | None = None
    since: int | None = None
    """From then on, microseconds since 1970."""
    until: int | None = None
    """Before then."""
    model_version: str | None = None
    """No index has it: what is read is every decision from the newest on, or of the time that is given."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """As the database asks."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        since, until = given.pop("since", None), given.pop("until", None)
        version = given.pop("model_version", None)
        found = [decisions.c[name] == value for name, value in given.items()]
        if since is not None:
            found.append(decisions.c.at >= since)
        if until is not None:
            found.append(decisions.c.at < until)
        if version is not None:
            # As the service writes a decision; no text of a client's can look like that, with its quotes escaped.
            found.append(decisions.c.content.contains(f'"version":{json.dumps(version)}', autoescape=True))
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the decisions that were found. cursor: names the page after it; None where there is none."""

    decisions: Sequence[Stored]
    cursor: str | None


def find(store: Store, criteria: Criteria, size: int, cursor: str | None = None) -> Page:
    """The newest decisions first, or those after a page. size: most on a page. cursor: of the page before.

    Raises RecordUnavailable, and CursorInvalid.
    """
    conditions = criteria.conditions()
    if cursor is not None:
        at, key = _after(cursor)
        conditions.append(or_(decisions.c.at < at, and_(decisions.c.at == at, decisions.c.id < key)))
    # One more tells whether there is another page.
    found = store.newest(conditions, size + 1)
    more = len(found) > size
    page = found[:size]
    return Page(page, _cursor(page[-1]) if more else None)


def _cursor(last: Stored) -> str:
    return f"{utc(last.at)}_{last.key}"


def _after(cursor: str) -> tuple[int, str]:
    moment, _, key = cursor.partition("_")
    try:
        at = microseconds(moment)
    except ValueError:
        at = None
    if at is None or canonical_id(key) != key:
        raise CursorInvalid("the cursor is none that a page before gave; leave it out to begin anew")
    return at, key
