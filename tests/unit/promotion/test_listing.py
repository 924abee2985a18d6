from app.promotion.listing import Listing
from app.promotion.pods import Pod
from app.registry.aliases import Version

VERSIONS = [
    Version("3", "r3", [], 1_700_000_000.0, "refused", ["ROC AUC 0.5 is below the floor 0.8"], {"roc_auc": 0.5}),
    Version("2", "r2", ["production"], 1_600_000_000.0, "passed", ["good"], {"roc_auc": 0.8625, "brier": 0.05}),
]
PODS = [Pod("api-1", "2", "3", False), Pod("api-2", "2", None, True), Pod("api-3", None, None, None)]


def test_a_version_stands_beside_its_aliases_figures_and_pods() -> None:
    lines = str(Listing("m", VERSIONS, PODS, "")).splitlines()
    assert lines[0].split() == "version aliases gate ROC AUC Brier calibration error registered served by".split()
    assert lines[1].split() == "3 refused 0.5000 - - 2023-11-14 22:13 api-1 (challenger)".split()
    assert lines[2].split() == "2 production passed 0.8625 0.0500 - 2020-09-13 12:26 api-1, api-2".split()
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
    assert document["pods"][0] == {"name": "api-1", "version": "2", "challenger": "3", "stale": False}
