"""The model registry's side: register, promote and pull. Nothing outside this package imports mlflow."""

from app.registry.client import ALIAS
from app.registry.documents import adopt, document
from app.registry.pulling import production_model, pull, pull_files
from app.registry.run_files import keep_picture
from app.registry.versions import Candidate, Registered, promote, register, write_verdict

__all__ = [
    "ALIAS",
    "Candidate",
    "Registered",
    "adopt",
    "document",
    "keep_picture",
    "production_model",
    "promote",
    "pull",
    "pull_files",
    "register",
    "write_verdict",
]
