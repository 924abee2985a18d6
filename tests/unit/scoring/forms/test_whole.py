"""A specification that a compiler could not take is refused before one is asked, with what is wrong with it."""

import copy
import json
from typing import Any

import pytest

from app.errors import ModelRefused
from app.scoring.forms.extract import Spec, extract
from app.scoring.forms.whole import require_whole
from app.scoring.model import ScoringModel
from tests.support.fakes import constant_document

NAN, INFINITE = float("nan"), float("inf")


def node(**changed: Any) -> dict[str, list[Any]]:
    """A tree of one split and two leaves, with some of its arrays changed."""
    tree = {
        "leaf": [False, True, True],
        "value": [0.0, -1.0, 1.0],
        "feature": [0, 0, 0],
        "threshold": [0.5, 0.0, 0.0],
        "missing_left": [True, False, False],
        "left": [1, 0, 0],
        "right": [2, 0, 0],
    }
    return {**tree, **changed}


def trees(*tree: dict[str, Any], **changed: Any) -> Spec:
    return {"kind": "boosted_trees", "inputs": 2, "baseline": 0.0, "trees": list(tree), **changed}


def linear(**changed: Any) -> Spec:
    steps = [{"kind": "impute", "fill": [0.0, 0.0]}, {"kind": "scale", "mean": [0.0, 0.0], "scale": [1.0, 1.0]}]
    return {"kind": "linear", "inputs": 2, "steps": steps, "coefficients": [1.0, 2.0], "intercept": 0.0, **changed}


@pytest.mark.parametrize("spec", [trees(), trees(node()), trees(node(values=[[1.0], None, None])), linear()])
def test_what_training_writes_is_whole(spec: Spec) -> None:
    require_whole(spec, 2, "models:/m/1")


def test_what_is_extracted_is_whole_also_after_json(boosted: Any, origin: Any) -> None:
    for model, inputs in ((boosted, 10), (origin, 11)):
        require_whole(json.loads(json.dumps(extract(model))), inputs, "models:/m/1")


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        (trees(inputs=3), "models:/m/1 holds no model: it takes 3 inputs, its contract has 2 factors"),
        (trees(baseline=NAN), "its baseline is no finite number"),
        (trees(node(), node(left=[1, 0])), "tree 1 has arrays of other lengths"),
        (trees(node(leaf=[])), "tree 0 has arrays of other lengths"),
        (trees(node(value=[0.0, INFINITE, 1.0])), "tree 0 has a number that is not finite"),
        (trees(node(threshold=[NAN, 0.0, 0.0])), "tree 0 has a number that is not finite"),
        (trees(node(feature=[2, 0, 0])), "tree 0 reads a factor that there is not"),
        (trees(node(feature=[-1, 0, 0])), "tree 0 reads a factor that there is not"),
        (trees(node(left=[0, 0, 0])), "tree 0 has a branch that leads nowhere"),
        (trees(node(right=[3, 0, 0])), "tree 0 has a branch that leads nowhere"),
        (trees(node(right=[1, 0, 0])), "tree 0 has a node with two parents, or none"),
        (trees(node(values=[[NAN], None, None])), "tree 0 has a category that is no number"),
        (trees(node(value=["0", "1", "2"])), r"holds no model \(TypeError\)"),
        ({"kind": "boosted_trees", "inputs": 2}, r"holds no model \(KeyError\)"),
        (linear(coefficients=[1.0]), "its coefficients are not one an input"),
        (linear(intercept=INFINITE), "its intercept is no finite number"),
        (linear(steps=[{"kind": "scale", "mean": [0.0, 0.0], "scale": [1.0, 0.0]}]), "its scale has a zero"),
    ],
)
def test_what_no_compiler_could_take_is_refused(spec: Spec, what: str) -> None:
    with pytest.raises(ModelRefused, match=what):
        require_whole(spec, 2, "models:/m/1")


def test_trees_whose_branches_meet_again_are_refused_at_once() -> None:
    """Written out they would be two to the power of eighty leaves."""
    depth = 80
    split, leaves = list(range(1, depth + 1)), [False] * depth + [True]
    arrays = {name: [0.0] * (depth + 1) for name in ("value", "threshold")}
    meeting = {"leaf": leaves, **arrays, "feature": [0] * (depth + 1), "missing_left": leaves}
    document = copy.deepcopy(constant_document(0.3))
    document.spec["trees"] = [{**meeting, "left": [*split, 0], "right": [*split, 0]}]
    with pytest.raises(ModelRefused, match="two parents"):
        ScoringModel.compiled(document)
