"""Registered models for commands about the record: the one place of the record that needs the registry."""

from app.audit.commands.replay import Models
from app.models.load import load_entry
from app.registry import pull
from app.settings import Settings


def registered(settings: Settings) -> Models:
    """Each is pulled into the cache, and every file of it is compared with its digest."""
    return lambda uri: load_entry(pull(uri, settings), settings.serving)
