"""A LightGBM model of two classes -> the trees of a specification, from the library's own dump of it.

Booster.dump_model gives each number with the 17 digits that make it the same 64 bits again. Its trees are added one
after the other from zero, and the logistic function is the one that `app.scoring.forms.compiled` computes.
"""

from sys import float_info
from typing import Any

from app.errors import NotCompilable

MODEL = "BinaryBooster"
"""What app.models.boosters puts around a model that has no scikit-learn estimator around it."""

SPLIT = {"split_feature", "threshold", "decision_type", "default_left", "missing_type", "left_child", "right_child"}
TOLD_OF_SPLIT = {"split_index", "split_gain", "internal_value", "internal_weight", "internal_count"}
DUMPED_INFINITY = 1e300
"""What stands in a dump for a threshold of infinity, which every number passes."""

LEAF = {"leaf_value"}
TOLD_OF_LEAF = {"leaf_index", "leaf_weight", "leaf_count"}


def boosted_trees(booster: Any) -> dict[str, Any]:
    """The specification of a booster. Raises NotCompilable with the part that has no compiled form."""
    model = booster.dump_model()
    if model["objective"] != "binary sigmoid:1" or model["num_tree_per_iteration"] != 1:
        raise NotCompilable(f"the LightGBM objective {model['objective']} has no compiled form")
    if model["average_output"]:
        raise NotCompilable("a LightGBM forest, whose trees are averaged, has no compiled form")
    trees = [_tree(each["tree_structure"]) for each in model["tree_info"]]
    return {"kind": "boosted_trees", "inputs": model["max_feature_idx"] + 1, "baseline": 0.0, "trees": trees}


def _tree(root: dict[str, Any]) -> dict[str, list[Any]]:
    tree: dict[str, list[Any]] = {
        name: [] for name in ("leaf", "value", "feature", "threshold", "missing_left", "left", "right")
    }
    waiting = [root]
    placed = 1
    # Breadth first: a node's children are the next two that are given a place.
    for node in waiting:
        leaf = "leaf_value" in node
        _require_known(node, *((LEAF, TOLD_OF_LEAF) if leaf else (SPLIT, TOLD_OF_SPLIT)))
        tree["leaf"].append(leaf)
        tree["value"].append(float(node["leaf_value"]) if leaf else 0.0)
        tree["feature"].append(0 if leaf else node["split_feature"])
        tree["threshold"].append(0.0 if leaf else _threshold(node))
        tree["missing_left"].append(not leaf and _missing_left(node))
        tree["left"].append(0 if leaf else placed)
        tree["right"].append(0 if leaf else placed + 1)
        if not leaf:
            waiting += [node["left_child"], node["right_child"]]
            placed += 2
    return tree


def _threshold(node: dict[str, Any]) -> float:
    value = float(node["threshold"])
    return float_info.max if value >= DUMPED_INFINITY else value


def _require_known(node: dict[str, Any], needed: set[str], told: set[str]) -> None:
    if unknown := (needed ^ node.keys()) - told:
        raise NotCompilable(f"a LightGBM tree with {', '.join(sorted(unknown))} has no compiled form")
    if "decision_type" in node and node["decision_type"] != "<=":
        raise NotCompilable("a LightGBM split of categories has no compiled form")


def _missing_left(node: dict[str, Any]) -> bool:
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    if node["missing_type"] == "None":
        # No value was missing in training: it counts as 0 then.
        return float(node["threshold"]) >= 0.0
    raise NotCompilable("a LightGBM split that takes 0 for missing has no compiled form")
