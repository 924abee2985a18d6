"""A scorer specification -> one Python function from a model's inputs to a probability.

Trees become nested conditional expressions, ten trees a function, generated from the specification's own
numbers (`repr` of floats and ints, nothing else) and executed once. The arithmetic follows scikit-learn's order: for
HistGradientBoostingClassifier the baseline plus one leaf a tree, in the order of the trees, then the
logistic function as scipy.special.expit computes it. So the result has the same 64 bits.
"""

from collections.abc import Callable, Sequence
from math import exp, log, log1p
from sys import float_info
from typing import Any

from app.errors import NotCompilable
from app.scoring.forms.extract import Spec

Scorer = Callable[[Sequence[float]], float]
"""Takes the model's inputs (float, NaN when missing), gives the probability of default in [0, 1]."""

LogOdds = Callable[[Sequence[float]], float]
"""Takes the same inputs, gives the log-odds of default."""

# Python's parser gives up near 200 nested parentheses; a tree this deep is served uncompiled.
DEEPEST_TREE = 90

TREES_A_PART = 10
"""Python compiles a source in one go, and answers nobody meanwhile; ten trees take it less than a millisecond."""


def logistic(log_odds: float) -> float:
    """1 / (1 + exp(-x)), and 0.0 where exp overflows, as scipy.special.expit."""
    try:
        return 1.0 / (1.0 + exp(-log_odds))
    except OverflowError:
        return 0.0


def logit(probability: float) -> float:
    """The log-odds of a probability; of 0 and 1 those of the numbers next to them, so that differences are numbers."""
    inside = min(max(probability, float_info.min), 1.0 - float_info.epsilon / 2)
    return log(inside) - log1p(-inside)


def compile_scorer(spec: Spec) -> Scorer:
    """The scorer of a specification made by `app.scoring.forms.extract.extract`.

    Raises NotCompilable for a kind it does not know or a tree too deep.
    """
    return scorer_of(compile_log_odds(spec))


def scorer_of(log_odds: LogOdds) -> Scorer:
    """The logistic function of it."""
    return lambda inputs: logistic(log_odds(inputs))


def compile_log_odds(spec: Spec) -> LogOdds:
    """As compile_scorer, before the logistic function: the log-odds, in which effects of features add up."""
    if spec["kind"] == "boosted_trees":
        return _trees(spec)
    if spec["kind"] == "linear":
        return _linear(spec)
    raise NotCompilable(f"no compiled form for a scorer of kind {spec['kind']!r}")


def _trees(spec: Spec) -> LogOdds:
    names = ", ".join(f"x{i}" for i in range(spec["inputs"]))
    baseline, trees = float(spec["baseline"]), spec["trees"]
    parts = []
    for start in range(0, len(trees), TREES_A_PART):
        lines = [f"def part(s, {names}):"]
        lines += [f" s += {_expression(tree, 0, 0)}" for tree in trees[start : start + TREES_A_PART]]
        parts.append(_execute("\n".join([*lines, " return s"])))

    def log_odds(inputs: Sequence[float]) -> float:
        total = baseline
        for part in parts:
            total = part(total, *inputs)
        return total

    return log_odds


def _expression(tree: dict[str, list[Any]], node: int, depth: int) -> str:
    if tree["leaf"][node]:
        return repr(float(tree["value"][node]))
    if depth > DEEPEST_TREE:
        raise NotCompilable(f"a tree is deeper than {DEEPEST_TREE} splits")
    name = f"x{int(tree['feature'][node])}"
    left = _expression(tree, tree["left"][node], depth + 1)
    right = _expression(tree, tree["right"][node], depth + 1)
    if (values := tree["values"][node] if "values" in tree else None) is not None:
        # Neither NaN nor a value that the training did not see is among them.
        told, others = (right, left) if tree["missing_left"][node] else (left, right)
        return (
            f"({told} if {name} in {{{', '.join(repr(float(it)) for it in values)}}} else {others})"
            if values
            else others
        )
    threshold = repr(float(tree["threshold"][node]))
    # NaN makes either comparison false, so the branch named last is where a missing value goes.
    if tree["missing_left"][node]:
        return f"({right} if {name} > {threshold} else {left})"
    return f"({left} if {name} <= {threshold} else {right})"


def _execute(source: str) -> Callable[..., float]:
    namespace: dict[str, Any] = {"__builtins__": {}}
    exec(compile(source, "<compiled model>", "exec"), namespace)
    function: Callable[..., float] = namespace["part"]
    return function


def _linear(spec: Spec) -> LogOdds:
    coefficients = [float(c) for c in spec["coefficients"]]
    intercept = float(spec["intercept"])
    steps = [(step["kind"], step) for step in spec["steps"]]

    def log_odds(inputs: Sequence[float]) -> float:
        values = inputs
        for kind, step in steps:
            if kind == "impute":
                values = [f if v != v else v for v, f in zip(values, step["fill"], strict=True)]
            else:
                values = [(v - m) / s for v, m, s in zip(values, step["mean"], step["scale"], strict=True)]
        # One after the other, because `sum` carries the rounding along from Python 3.12 on, which are other bits.
        total = 0.0
        for value, coefficient in zip(values, coefficients, strict=True):
            total += value * coefficient
        return total + intercept

    return log_odds
