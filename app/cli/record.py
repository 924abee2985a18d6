"""The record that the commands of `credit audit` work on, and how a time of it is given."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.terminal import progress

if TYPE_CHECKING:
    from app.audit.store.repository import Store, Stored
    from app.settings import Settings


def opened(create: bool = False) -> "tuple[Settings, Store]":
    """The settings and the record that they name. create: make an SQLite file where there is none."""
    from app.audit.store.database import open_engine
    from app.audit.store.repository import Store
    from app.settings import load_settings

    settings = load_settings()
    return settings, Store(open_engine(settings.audit.database_uri, create=create))


@contextmanager
def decisions_of(
    store: "Store", since: int | None, until: int | None
) -> "Iterator[tuple[Iterator[Stored], Callable[[int], None]]]":
    """The decisions of a time, and what to call with how many more have been worked on."""
    with progress(store.count(since, until), "decisions") as done:
        with closing(store.decisions(since, until)) as records:
            yield records, done


def moment(text: str) -> int:
    """ISO 8601, UTC unless it says otherwise; gives microseconds since 1970."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-01-31 or 2026-01-31T12:00:00Z") from None
    read = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    return int(read.timestamp()) * 1_000_000 + read.microsecond


def time_option(option: str, text: str) -> Any:
    return typer.Option(option, parser=moment, metavar="TIME", help=f"{text}, in ISO 8601, UTC unless it says so.")


Since = Annotated[int | None, time_option("--since", "From this time on")]
Until = Annotated[int | None, time_option("--until", "Before this time")]
