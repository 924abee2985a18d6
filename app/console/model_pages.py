"""The pages about models: what is registered, what the gate said, and what people and servers did."""

import re
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from app.console.shared import Console, Render
from app.errors import ModelMissing
from app.registry.aliases import Version, version_of, versions
from app.registry.run_files import card_of, picture_of, pictures_of

DONE = ("promotion", "promotion_asked", "rollback", "adoption", "model_review", "model")
"""Acts that are about models; `model` is that a server took another one up."""
MOST_ACTS = 50
NUMBER = re.compile("[1-9][0-9]{0,8}")


def add_models(app: FastAPI, console: Console, page: Render) -> None:
    """The list, one version, and its pictures."""
    settings = console.settings

    @app.get("/models")
    def models(request: Request) -> Response:
        try:
            registered = versions(settings)
        except ModelMissing:
            registered = []
        return page(
            request,
            "models.html",
            model=settings.mlflow.model_name,
            versions=registered,
            acts=[it.to_link().fields for it in console.store.acts(DONE, MOST_ACTS)],
            registered_at=_registered_at,
            today=datetime.now(UTC).strftime("%Y-%m-%d"),
        )

    @app.get("/models/{number}")
    def version(request: Request, number: str) -> Response:
        found = named(console, number)
        if found is None:
            return no_version(page, request)
        acts = [it.to_link().fields for it in console.store.acts(DONE, MOST_ACTS)]
        return page(
            request,
            "model.html",
            it=found,
            card=card_of(found.run_id, settings),
            pictures=pictures_of(found.run_id, settings),
            acts=[act for act in acts if _about(act) == found.version],
        )

    @app.get("/models/{number}/pictures/{name}")
    def picture(request: Request, number: str, name: str) -> Response:
        found = named(console, number)
        content = None if found is None else picture_of(found.run_id, name, settings)
        return no_version(page, request) if content is None else Response(content, media_type="image/png")


def named(console: Console, number: str) -> Version | None:
    """The version of that number; None where there is none. Raises ModelUnavailable."""
    if not NUMBER.fullmatch(number):
        return None
    try:
        return version_of(number, console.settings)
    except ModelMissing:
        return None


def no_version(page: Render, request: Request) -> Response:
    return page(request, "message.html", 404, title="Not found", text="The registry holds no such version or picture.")


def _about(act: dict[str, Any]) -> str:
    """The version that an act was done to."""
    about = act["about"]
    return str(about.get("version") or about.get("to") or "")


def _registered_at(version: Version) -> str:
    return datetime.fromtimestamp(version.created_at, UTC).strftime("%Y-%m-%d %H:%M")
