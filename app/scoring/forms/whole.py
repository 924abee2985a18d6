"""Whether a scorer specification, as a document from elsewhere holds it, is one that the compilers can take.

A document is read before anything vouches for its author. One whose trees share nodes would keep the compiler busy for
ever, and one whose numbers are none would fail with the first applicant.
"""

from math import isfinite
from typing import Any

from app.errors import ModelRefused
from app.scoring.forms.extract import Spec

ARRAYS = ("leaf", "value", "feature", "threshold", "missing_left", "left", "right")
"""Of a tree, one entry a node."""

MOST_NODES = 1_000_000
"""Of all trees: two hundred times what training makes."""


class _Damaged(Exception):
    """Says what is wrong."""


def require_whole(spec: Spec, inputs: int, of: str) -> None:
    """Raises ModelRefused with what is wrong. inputs: how many the contract's factors are; of: the model's URI.

    A kind that no compiler knows is left to them.
    """
    try:
        if spec["kind"] == "boosted_trees":
            _check_trees(spec, inputs)
        elif spec["kind"] == "linear":
            _check_linear(spec, inputs)
    except _Damaged as error:
        raise ModelRefused(f"the document of {of} holds no model: {error}") from None
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ModelRefused(f"the document of {of} holds no model ({type(error).__name__})") from None


def _check_trees(spec: Spec, inputs: int) -> None:
    _require(spec["inputs"] == inputs, f"it takes {spec['inputs']} inputs, its contract has {inputs} factors")
    _require(isfinite(spec["baseline"]), "its baseline is no finite number")
    _require(sum(len(tree["leaf"]) for tree in spec["trees"]) <= MOST_NODES, f"it has over {MOST_NODES:,} nodes")
    for number, tree in enumerate(spec["trees"]):
        _check_tree(tree, inputs, f"tree {number}")


def _check_linear(spec: Spec, inputs: int) -> None:
    _require(spec["inputs"] == inputs, f"it takes {spec['inputs']} inputs, its contract has {inputs} factors")
    _check_numbers("coefficients", spec["coefficients"], inputs)
    _require(isfinite(spec["intercept"]), "its intercept is no finite number")
    for step in spec["steps"]:
        for name in ("fill",) if step["kind"] == "impute" else ("mean", "scale"):
            _check_numbers(name, step[name], inputs)
            _require(name != "scale" or all(step[name]), "its scale has a zero")


def _check_tree(tree: dict[str, list[Any]], inputs: int, name: str) -> None:
    count = len(tree["leaf"])
    arrays = [*ARRAYS, *(["values"] if "values" in tree else [])]
    _require(count > 0 and all(len(tree[array]) == count for array in arrays), f"{name} has arrays of other lengths")
    parents = [0] * count
    for node, leaf in enumerate(tree["leaf"]):
        number = tree["value" if leaf else "threshold"][node]
        _require(isfinite(number), f"{name} has a number that is not finite")
        if leaf:
            continue
        _require(0 <= tree["feature"][node] < inputs, f"{name} reads a factor that there is not")
        for child in (tree["left"][node], tree["right"][node]):
            _require(node < child < count, f"{name} has a branch that leads nowhere")
            parents[child] += 1
    _require(all(number == 1 for number in parents[1:]), f"{name} has a node with two parents, or none")
    for values in tree.get("values", ()):
        _require(values is None or all(isfinite(value) for value in values), f"{name} has a category that is no number")


def _check_numbers(name: str, numbers: list[float], inputs: int) -> None:
    _require(len(numbers) == inputs and all(isfinite(number) for number in numbers), f"its {name} are not one an input")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _Damaged(otherwise)
