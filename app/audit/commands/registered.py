"""Registered models for replaying decisions: the only module of app.audit that needs the registry."""

from app.audit.commands.replay import Models
from app.models.over_http import model_over_http
from app.scoring.model import ScoringModel
from app.settings import Settings


def registered(settings: Settings) -> Models:
    """A function from a model's URI to the model: from its document where that is enough, as the server has it, else
    pulled into the cache with every file compared with its digest."""
    return lambda uri: model_over_http(uri, settings) or _pulled(uri, settings)


def _pulled(uri: str, settings: Settings) -> ScoringModel:
    # Here because a document needs no MLflow, which the image of the API has not.
    from app.models.load import load_entry
    from app.registry import pull

    return load_entry(pull(uri, settings), settings.serving)
