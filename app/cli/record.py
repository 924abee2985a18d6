"""The record that the commands of `credit audit` work on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.audit.store.repository import Store
    from app.settings import Settings


def opened(create: bool = False) -> "tuple[Settings, Store]":
    """The settings and the record that they name. create: make an SQLite file where there is none."""
    from app.audit.store.database import open_engine
    from app.audit.store.repository import Store
    from app.settings import load_settings

    settings = load_settings()
    return settings, Store(open_engine(settings.audit.database_uri, create=create))
