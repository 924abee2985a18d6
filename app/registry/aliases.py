"""What the registry holds, and its aliases: where they point, where they pointed before, and moving them."""

from dataclasses import dataclass

import mlflow
from mlflow.entities.model_registry import ModelVersion

from app.errors import ModelMissing
from app.models.pointer import DOCUMENT, GATE, GATE_DIGEST, GATE_REASONS, REVIEW_DUE, Pointer
from app.registry.artifacts import figures_of
from app.registry.client import connect, public, translated
from app.settings import Settings

MOST_REMEMBERED = 20
REASONS_JOINED_BY = "; "


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the registered model."""

    version: str
    run_id: str
    aliases: list[str]
    created_at: float
    """Seconds since 1970."""
    gate: str
    """passed, refused, or empty when no gate has judged it."""
    gate_reasons: list[str]
    figures: dict[str, float]
    digest: str
    """SHA-256, in hex, of the files that passed the gate; empty when none did."""
    review_due: str
    """Day, as 2026-01-31; empty when nobody has said."""


def versions(settings: Settings) -> list[Version]:
    """Every version, the newest first. Raises ModelMissing when there is none, ModelUnavailable."""
    name = settings.mlflow.model_name
    with translated(f"cannot list {name} at {public(settings.mlflow.tracking_uri)}"):
        client = connect(settings)
        aliases: dict[str, str] = client.get_registered_model(name).aliases
        found = [_version(client, it, aliases) for it in client.search_model_versions(f"name='{name}'")]
    return sorted(found, key=lambda it: int(it.version), reverse=True)


def version_of(number: str, settings: Settings) -> Version:
    """The version of that number. Raises ModelMissing when there is none, ModelUnavailable."""
    name = settings.mlflow.model_name
    with translated(f"cannot ask for version {number} of {name}"):
        client = connect(settings)
        return _version(client, client.get_model_version(name, number), client.get_registered_model(name).aliases)


def _version(client: mlflow.MlflowClient, found: ModelVersion, aliases: dict[str, str]) -> Version:
    number = str(found.version)
    reasons = found.tags.get(GATE_REASONS, "")
    judged_in = found.tags.get(DOCUMENT, "").removeprefix("runs:/").partition("/")[0]
    runs = dict.fromkeys([found.run_id or "", judged_in])
    return Version(
        version=number,
        run_id=found.run_id or "",
        aliases=sorted(alias for alias, version in aliases.items() if str(version) == number),
        created_at=found.creation_timestamp / 1000,
        gate=found.tags.get(GATE, ""),
        gate_reasons=reasons.split(REASONS_JOINED_BY) if reasons else [],
        figures={name: value for run in runs for name, value in figures_of(client, run).items()},
        digest=found.tags.get(GATE_DIGEST, ""),
        review_due=found.tags.get(REVIEW_DUE, ""),
    )


def set_review_due(version: str, day: str, settings: Settings) -> None:
    """Say by which day somebody has to look at a version again. Raises ModelMissing, ModelUnavailable."""
    name = settings.mlflow.model_name
    with translated(f"cannot write on version {version} of {name}"):
        client = connect(settings)
        client.get_model_version(name, version)
        client.set_model_version_tag(name, version, REVIEW_DUE, day)


def named_by(alias: str, settings: Settings, besides: str = "") -> str:
    """The version that an alias names; the one that it was moved to before that when it names `besides`.

    Raises ModelMissing when there is none, ModelUnavailable.
    """
    name = settings.mlflow.model_name
    with translated(f"cannot ask for {name}@{alias}"):
        client = connect(settings)
        version = str(client.get_model_version_by_alias(name, alias).version)
        if version != besides:
            return version
        existing = {str(it.version) for it in client.search_model_versions(f"name='{name}'")}
        for earlier in reversed(_history(client.get_registered_model(name).tags, alias)):
            if earlier in existing - {besides}:
                return earlier
    raise ModelMissing(f"{name}@{alias} names version {version}, and named no other before")


def move_alias(client: mlflow.MlflowClient, name: str, alias: str, version: str) -> None:
    """Let the alias name that version, and remember what it named before."""
    model = client.get_registered_model(name)
    history = _history(model.tags, alias)
    before = model.aliases.get(alias)
    if before is not None and history[-1:] != [str(before)]:
        history.append(str(before))  # moved by hand
    client.set_registered_model_alias(name, alias, version)
    # Written last: were this to fail, the alias would look as if it had been moved by hand, and the way back still be
    # the right one.
    if history[-1:] != [version]:
        history.append(version)
    _remember(client, name, alias, history)


def roll_back(alias: str, settings: Settings) -> tuple[str, str]:
    """Let the alias name what it named before; gives the version that it left and the one that it names now.

    Raises ModelMissing when it named nothing else before, or nothing of that is left; ModelRefused when no server
    would follow the alias there, for want of a verdict.
    """
    name = settings.mlflow.model_name
    with translated(f"cannot roll back {name}@{alias}"):
        client = connect(settings)
        model = client.get_registered_model(name)
        history = _history(model.tags, alias)
        left = str(client.get_model_version_by_alias(name, alias).version)
        if history[-1:] == [left]:
            history.pop()
        existing = {str(it.version): it for it in client.search_model_versions(f"name='{name}'")}
        while history and history[-1] not in existing.keys() - {left}:
            history.pop()
        if not history:
            raise ModelMissing(f"{name}@{alias} names version {left}, and no version is known that it named before")
        if settings.serving.require_verdict:
            target = existing[history[-1]]
            Pointer.of(name, history[-1], target.run_id or "", str(target.status), target.tags).require_verdict()
        client.set_registered_model_alias(name, alias, history[-1])
        _remember(client, name, alias, history)
        return left, history[-1]


def _history(tags: dict[str, str], alias: str) -> list[str]:
    """Versions that the alias has named, the last one last."""
    return tags.get(f"{alias}_history", "").split()


def _remember(client: mlflow.MlflowClient, name: str, alias: str, history: list[str]) -> None:
    client.set_registered_model_tag(name, f"{alias}_history", " ".join(history[-MOST_REMEMBERED:]))
