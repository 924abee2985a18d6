from pathlib import Path

import pytest

from app.promotion.listing import Listing, listing
from app.promotion.pods import Pod
from app.registry.aliases import Version
from app.registry.client import connect
from app.settings import MlflowSettings, Settings

WHY = "ROC AUC 0.5 is below the floor 0.8"
FIGURES = {"roc_auc": 0.8625, "brier": 0.05}
VERSIONS = [
    Version("3", "r3", [], 1_700_000_000.0, "refused", [WHY], {"roc_auc": 0.5}, "", ""),
    Version("2", "r2", ["production"], 1_600_000_000.0, "passed", ["good"], FIGURES, "a" * 64, "2027-01-31"),
]
PODS = [Pod("api-1", "2", "3", False, "a" * 64, "r2"), Pod("api-2", "2", None, True), Pod("api-3", None, None, None)]


def test_a_version_stands_beside_its_aliases_figures_and_pods() -> None:
    lines = str(Listing("m", VERSIONS, PODS, "")).splitlines()
    columns = "version aliases gate ROC AUC Brier calibration error registered review due served by"
    assert lines[0].split() == columns.split()
    assert lines[1].split() == "3 refused 0.5000 - - 2023-11-14 22:13 - api-1 (challenger)".split()
    assert lines[2].split() == "2 production passed 0.8625 0.0500 - 2020-09-13 12:26 2027-01-31 api-1, api-2".split()
    assert lines[3:] == [
        "3 refused: ROC AUC 0.5 is below the floor 0.8",
        "api-3 serves nothing or gives no answer",
        "api-2 does not know whether the registry still names its model",
    ]


def test_without_a_cluster_the_reason_stands_where_the_pods_would() -> None:
    text = str(Listing("m", VERSIONS, None, "the package kubernetes is not installed"))
    assert text.splitlines()[-1] == "pods unknown: the package kubernetes is not installed"


def test_as_json_it_holds_the_same() -> None:
    document = Listing("m", VERSIONS, PODS, "").to_json()
    assert document["versions"][1]["aliases"] == ["production"]
    told = {"name": "api-1", "version": "2", "challenger": "3", "stale": False, "digest": "a" * 64, "run_id": "r2"}
    assert document["pods"][0] == told


@pytest.mark.parametrize(("digest", "run_id"), [("b" * 64, "r2"), ("a" * 64, "of another registry")])
def test_a_pod_with_another_model_of_that_number_does_not_serve_the_version(digest: str, run_id: str) -> None:
    lines = str(Listing("m", VERSIONS, [Pod("api-1", "2", None, False, digest, run_id)], "")).splitlines()
    assert not lines[2].endswith("api-1")
    assert lines[-1] == "api-1 serves another model as version 2, of another registry or of other files"


def test_no_cluster_is_asked_about_an_embedded_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stranger(*_: object) -> list[Pod]:
        raise AssertionError("a cluster was asked")

    monkeypatch.setattr("app.promotion.listing.serving_pods", stranger)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    settings = Settings(mlflow=MlflowSettings(tracking_uri=uri, model_name="embedded"))
    connect(settings).create_registered_model("embedded")
    assert str(listing(settings, None, "credit")).endswith("a file on this machine, which no cluster serves from")
