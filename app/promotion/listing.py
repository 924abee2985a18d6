"""What is registered, what the gate said of it, and which pods serve it."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from app.promotion.pods import NoCluster, Pod, serving_pods
from app.registry.aliases import Version, versions
from app.settings import Settings
from app.terminal import number, table

FIGURES = {"roc_auc": "ROC AUC", "brier": "Brier", "calibration_error": "calibration error"}


@dataclass(frozen=True, slots=True)
class Listing:
    """Versions, the newest first; pods is None when no cluster could be asked, for a reason that is told."""

    name: str
    versions: list[Version]
    pods: list[Pod] | None
    no_pods_because: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        rows = [["version", "aliases", "gate", *FIGURES.values(), "registered", "review due", "served by"]]
        for it in self.versions:
            figures = [number(it.figures.get(name)) for name in FIGURES]
            registered = datetime.fromtimestamp(it.created_at, UTC).strftime("%Y-%m-%d %H:%M")
            told = [it.version, ", ".join(it.aliases), it.gate or "-", *figures]
            rows.append([*told, registered, it.review_due or "-", self._pods(it)])
        refused = [
            f"{it.version} refused: {reason}"
            for it in self.versions
            if it.gate == "refused"
            for reason in it.gate_reasons
        ]
        silent = [f"{pod.name} serves nothing or gives no answer" for pod in self.pods or () if pod.version is None]
        stale = [
            f"{pod.name} does not know whether the registry still names its model"
            for pod in self.pods or ()
            if pod.stale
        ]
        foreign = [
            f"{pod.name} serves another model as version {pod.version}, of another registry or of other files"
            for pod in self.pods or ()
            if any(it.version == pod.version and _other(it, pod) for it in self.versions)
        ]
        unknown = [f"pods unknown: {self.no_pods_because}"] if self.pods is None else []
        return "\n".join([table(rows), *refused, *silent, *foreign, *stale, *unknown])

    def _pods(self, it: Version) -> str:
        if self.pods is None:
            return "-"
        serving = [pod.name for pod in self.pods if pod.version == it.version and not _other(it, pod)]
        challenging = [f"{pod.name} (challenger)" for pod in self.pods if pod.challenger == it.version]
        return ", ".join(serving + challenging)


def _other(it: Version, pod: Pod) -> bool:
    """Whether a pod that serves a model of that number serves another one, as of another registry."""
    known = [(it.digest, pod.digest), (it.run_id, pod.run_id)]
    return any(own and served and own != served for own, served in known)


def listing(settings: Settings, context: str | None, namespace: str) -> Listing:
    """Everything about the configured model. Raises ModelUnavailable."""
    found = versions(settings)
    if settings.mlflow.tracking_uri.startswith("sqlite:"):
        reason = "this registry is a file on this machine, which no cluster serves from"
        return Listing(settings.mlflow.model_name, found, None, reason)
    try:
        return Listing(settings.mlflow.model_name, found, serving_pods(context, namespace), "")
    except NoCluster as error:
        return Listing(settings.mlflow.model_name, found, None, str(error))
