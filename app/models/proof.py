"""The proof that a pulled model computes what it computed when it was trained, before it may serve."""

from collections.abc import Sequence
from itertools import product
from math import inf, isfinite, nan, nextafter
from random import Random
from sys import float_info

from app.contract.computed import ComputedFactors
from app.contract.contract import Contract
from app.contract.fields import Field
from app.errors import ModelRefused, NotCompilable
from app.models.predicting import PredictProba, words_of
from app.scoring.forms.compiled import compile_log_odds, logistic
from app.scoring.forms.extract import Spec
from app.scoring.forms.vectorised import values_of, vectorise
from app.scoring.model import Reference

GOLDEN_TOLERANCE = 1e-9
LINEAR_TOLERANCE = 1e-12
"""numpy may add a row's products in another order than Python does; trees leave no such freedom."""
FIRST_CLASS_TOLERANCE = 1e-15
"""A library computes the first class's probability as 1 minus the second's, which rounds once more."""

PROBES = 200
MOST_NULLABLE = 6
"""Fields whose every pattern of missing values is asked about."""
ROUNDS = 4
"""How often each constant is asked about, each time beside others."""

CODES = (0.0, 1.0, 96.0, 98.0)
"""The public file's counts hold 96 and 98 for what is not known."""
EXTREMES = (-1.0, 1e6, 1e12, -1e12, 1e300, -1e300, float_info.max, float_info.min)

Rows = list[list[float]]


def probe_vectors(contract: Contract) -> Rows:
    """Seeded wire vectors for a model that came without golden rows: plausible, extreme and missing values."""
    random = Random(11)
    vectors = []
    for _ in range(PROBES):
        vector = [_plausible(each, random) for each in contract.fields]
        for position, each in enumerate(contract.fields):
            if each.nullable and random.random() < 0.2:
                vector[position] = nan
        vectors.append(vector)
    return vectors


def _plausible(asked: Field, random: Random) -> float:
    if asked.type == "category":
        return float(random.randrange(len(asked.values)))
    value = random.choice([*CODES[:2], random.uniform(0, 5), random.expovariate(1e-3)])
    return float(round(value)) if asked.type == "integer" else value


def prove(predict: PredictProba, contract: Contract, reference: Reference | None) -> Rows:
    """Ask predict_proba about golden rows, or probes, and every pattern of missing values; gives the inputs asked.

    contract: whose factors are the model's inputs.
    Raises ModelRefused when it fails, gives what is no probability, or other values than the golden ones.
    """
    golden = [] if reference is None else [contract.vector(row) for row in reference.golden_rows]
    known = golden or probe_vectors(contract)
    vectors = known + [_without(vector, gone) for gone in _patterns(contract) for vector in known[:3]]
    factors = ComputedFactors(contract)
    inputs = [[*factors.of(vector)] for vector in vectors]
    try:
        found = predict.probabilities(inputs)
    except MemoryError:
        raise
    except Exception as error:  # an estimator may fail in any way; the registry's model is then unfit to serve
        raise ModelRefused(_failure(predict, inputs, contract, error)) from error
    if not all(isfinite(value) and 0.0 <= value <= 1.0 for value in found):
        raise ModelRefused("predict_proba gives values that are no probabilities")
    if golden and reference is not None:
        difference = _difference(found[: len(golden)], reference.golden_probabilities, GOLDEN_TOLERANCE)
        if difference is not None:
            raise ModelRefused(f"golden {difference}")
    return inputs


def _patterns(contract: Contract) -> list[set[int]]:
    """Every choice of nullable positions; where these would be too many, each alone and all of them."""
    nullable = [at for at, each in enumerate(contract.fields) if each.nullable]
    if len(nullable) > MOST_NULLABLE:
        return [set(), *({at} for at in nullable), set(nullable)]
    choices = product((False, True), repeat=len(nullable))
    return [{at for at, gone in zip(nullable, choice, strict=True) if gone} for choice in choices]


def _without(vector: Sequence[float], gone: set[int]) -> list[float]:
    return [nan if at in gone else value for at, value in enumerate(vector)]


def _failure(predict: PredictProba, inputs: Rows, contract: Contract, error: Exception) -> str:
    try:
        predict.probabilities([[1.0 if value != value else value for value in row] for row in inputs])
    except Exception:  # not for want of a value
        return f"predict_proba fails on rows of the wire vector ({words_of(error)})"
    allowed = " and ".join(each.name for each in contract.fields if each.nullable)
    return (
        f"predict_proba fails where a value is missing, as {allowed} may be ({words_of(error)});"
        " train it with an imputer in front"
    )


def compiled_difference(predict: PredictProba, spec: Spec, inputs: Rows) -> str | None:
    """Compare both compiled forms with predict_proba; gives the first difference in words, None when there is none.

    inputs: rows of the model's inputs, asked about beside every constant of the specification with its neighbours,
    the codes of the public file, and extremes.
    Raises NotCompilable when there is no form for one row.
    """
    log_odds = compile_log_odds(spec)
    rows = [*inputs, *_constant_rows(spec, inputs), *_extreme_rows(inputs)]
    one_by_one = [log_odds(row) for row in rows]
    tolerance = LINEAR_TOLERANCE if spec["kind"] == "linear" else 0.0
    if predict.positive == 0:
        tolerance = max(tolerance, FIRST_CLASS_TOLERANCE)
    asked = _asked(predict, rows)
    expected = [value for value in asked if value is not None]
    found = [logistic(it) for it, value in zip(one_by_one, asked, strict=True) if value is not None]
    difference = _difference(found, expected, tolerance)
    if difference is not None:
        return f"one row at a time, {difference}"
    try:
        vectorised = vectorise(spec)
    except NotCompilable:
        return None  # batches then go row by row
    import numpy

    at_once = vectorised.log_odds(vectorised.prepare(numpy.array(rows))).tolist()
    difference = _difference(at_once, one_by_one, 0.0)
    return None if difference is None else f"many rows at once, {difference}"


def _asked(predict: PredictProba, rows: Rows) -> list[float | None]:
    """Probabilities, None where the classifier refuses what is too large for it."""
    try:
        return [*predict.probabilities(rows)]
    except Exception:  # one of the rows; those of the model's own kind were answered before
        return [_answer(predict, row) for row in rows]


def _answer(predict: PredictProba, row: list[float]) -> float | None:
    try:
        return predict.probabilities([row])[0]
    except Exception:
        return None


def _constant_rows(spec: Spec, inputs: Rows) -> Rows:
    """Rows in which each constant of each input stands beside others, ROUNDS times."""
    random = Random(12)
    columns = []
    for number, constants in enumerate(_constants(spec)):
        near = {each for it in constants for each in (it, nextafter(it, inf), nextafter(it, -inf)) if isfinite(each)}
        missing = [nan] if any(row[number] != row[number] for row in inputs) else []
        columns.append([*sorted(near | {*CODES}), *missing])
    length = max(len(column) for column in columns)
    rows: Rows = []
    for _ in range(ROUNDS):
        shuffled = [random.sample(column, len(column)) for column in columns]
        rows += [[column[at % len(column)] for column in shuffled] for at in range(length)]
    return rows


def _constants(spec: Spec) -> list[set[float]]:
    """By input: thresholds of trees; what is filled in, means and scales of a linear model."""
    found: list[set[float]] = [set() for _ in range(spec["inputs"])]
    for tree in spec.get("trees", []):
        for node, (leaf, feature) in enumerate(zip(tree["leaf"], tree["feature"], strict=True)):
            if leaf:
                continue
            if (values := values_of(tree, node)) is None:
                found[feature].add(float(tree["threshold"][node]))
            else:
                # With one that no training saw.
                found[feature].update(values, [max(values, default=0.0) + 1.0])
    for step in spec.get("steps", []):
        for name in step.keys() & {"fill", "mean", "scale"}:
            for constants, value in zip(found, step[name], strict=True):
                constants.add(float(value))
    return found


def _extreme_rows(inputs: Rows) -> Rows:
    """One extreme a row: among several the sum of a linear model is nothing but rounding."""
    return [
        [*row[:at], extreme, *row[at + 1 :]] for row in inputs[:2] for at in range(len(row)) for extreme in EXTREMES
    ]


def _difference(found: Sequence[float], expected: Sequence[float], tolerance: float) -> str | None:
    """The first in words."""
    for index, (value, wanted) in enumerate(zip(found, expected, strict=True)):
        same = value == wanted or (value != value and wanted != wanted)
        if not same and not abs(value - wanted) <= tolerance:
            return f"row {index}: {value!r} instead of {wanted!r}, more than {tolerance} apart"
    return None
