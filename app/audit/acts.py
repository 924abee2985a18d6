"""Who did what to models and to the record: each act is a signed link, with a person and a reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from app.audit.chain import Chain, Entry, link_of
from app.audit.signing import Signer, signer_of
from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.errors import ActRefused
from app.ids import Ids
from app.settings import AuditSettings
from app.times import Month, microseconds_now


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or the account of a job. approved_by: a second person, where one was named."""

    by: str
    reason: str
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Acts:
    """Keeps acts in the record's database, each in a chain of its own."""

    store: Store
    audit: AuditSettings

    def keep(self, what: str, actor: Actor, about: dict[str, Any]) -> None:
        """As keep_act, signed with the settings' key."""
        keep_act(self.store, signer_of(self.audit), what, actor, about)


def keep_act(
    store: Store, signer: Signer, what: str, actor: Actor, about: dict[str, Any], key: str | None = None
) -> None:
    """what: as promotion, rollback, adoption, retention; about: what it was done to; key: an id of its own when None.

    Raises RecordUnavailable.
    """
    ids = Ids()
    writer = ids.next()
    entry = Entry("act", key or ids.next(), microseconds_now(), {"what": what, **asdict(actor), "about": about})
    store.insert([link_of(*it) for it in Chain(writer).seal([entry])], signer)


@contextmanager
def acting(audit: AuditSettings) -> Iterator[Acts | None]:
    """The record for an act, known to be there before it is done; None where nothing is recorded.

    Raises RecordUnavailable, SettingInvalid.
    """
    if not audit.enabled:
        yield None
        return
    engine = open_engine(audit.database_uri, create=True)
    try:
        migrate(engine, Month.of(microseconds_now()))
        yield Acts(Store(engine), audit)
    finally:
        engine.dispose()


def require_second(audit: AuditSettings, actor: Actor) -> None:
    """Raises ActRefused where audit.four_eyes asks for a second person and there is none."""
    if audit.four_eyes and (not actor.approved_by or actor.approved_by == actor.by):
        raise ActRefused(
            f"audit.four_eyes asks for a second person: name somebody other than {actor.by} with --approved-by"
        )
