"""The page about models: what is registered, what the gate said, and what people and servers did."""

from datetime import UTC, datetime

from fastapi import FastAPI, Request
from starlette.responses import Response

from app.console.shared import Console, Render
from app.errors import ModelMissing
from app.registry.aliases import Version, versions

DONE = ("promotion", "rollback", "adoption", "model_review", "model")
"""Acts that are about models; `model` is that a server took another one up."""
MOST_ACTS = 50


def add_models(app: FastAPI, console: Console, page: Render) -> None:
    """The route."""

    @app.get("/models")
    def models(request: Request) -> Response:
        acts = [it.to_link().fields for it in console.store.acts(DONE, MOST_ACTS)]
        settings = console.settings
        try:
            registered = versions(settings)
        except ModelMissing:
            registered = []
        return page(
            request,
            "models.html",
            model=settings.mlflow.model_name,
            versions=registered,
            acts=acts,
            registered_at=_registered_at,
            today=datetime.now(UTC).strftime("%Y-%m-%d"),
        )


def _registered_at(version: Version) -> str:
    return datetime.fromtimestamp(version.created_at, UTC).strftime("%Y-%m-%d %H:%M")
