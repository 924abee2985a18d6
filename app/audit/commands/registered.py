"""Registered models for replaying decisions: the only module of app.audit that needs the registry."""

from app.audit.commands.replay import Models
from app.models.load import load_entry
from app.registry import pull
from app.settings import Settings


def registered(settings: Settings) -> Models:
    """A function from a model's URI to the model, pulled into the cache with every file compared with its digest."""
    return lambda uri: load_entry(pull(uri, settings), settings.serving)
