"""The model registry's side: register, promote and pull. Nothing outside this package imports mlflow."""

from app.registry.client import ALIAS
from app.registry.pulling import production_model, pull
from app.registry.versions import Candidate, Registered, promote, register

__all__ = ["ALIAS", "Candidate", "Registered", "production_model", "promote", "pull", "register"]
