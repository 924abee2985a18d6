"""A contract's factors and their cases as functions: of one vector, and of many at once with the same bits."""

from collections.abc import Callable, Sequence
from math import nan
from typing import TYPE_CHECKING, Any

from app.contract.expressions import Part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Vector = Sequence[float]


def compile_one(parts: Sequence[Part]) -> Callable[[Vector], tuple[Any, ...]]:
    """The values of all parts, of a vector of the fields' values in their order."""
    source = "".join(f"{part.one}, " for part in parts)
    return _function(f"({source})", {"divide": _divide, "low": _low, "high": _high})


def compile_many(parts: Sequence[Part]) -> "Callable[[Floats], list[Any]]":
    """As compile_one, of a matrix of one row a field and one column an applicant. Loads numpy.

    A part that reads no field gives one value for all.
    """
    import numpy as np

    def divide(a: Any, b: Any) -> Any:
        return np.where(np.not_equal(b, 0.0), np.divide(a, np.where(np.equal(b, 0.0), 1.0, b)), nan)

    def low(a: Any, b: Any) -> Any:
        return np.where(np.less_equal(a, b), a, np.where(np.less_equal(b, a), b, nan))

    def high(a: Any, b: Any) -> Any:
        return np.where(np.greater_equal(a, b), a, np.where(np.greater_equal(b, a), b, nan))

    source = ", ".join(part.many for part in parts)
    names = {"divide": divide, "low": low, "high": high, "where": np.where, "opposite": np.logical_not}
    function = _function(f"[{source}]", names)

    def compute(columns: "Floats") -> list[Any]:
        # Numbers too large become infinite here as they do, in silence, in Python.
        with np.errstate(all="ignore"):
            found: list[Any] = function(columns)
            return found

    return compute


def _function(body: str, names: dict[str, Any]) -> Callable[[Any], Any]:
    namespace = {"__builtins__": {}, **names}
    exec(compile(f"def compute(f):\n return {body}", "<compiled contract>", "exec"), namespace)
    function: Callable[[Any], Any] = namespace["compute"]
    return function


def _divide(a: float, b: float) -> float:
    return a / b if b != 0.0 else nan


def _low(a: float, b: float) -> float:
    return a if a <= b else b if b <= a else nan


def _high(a: float, b: float) -> float:
    return a if a >= b else b if b >= a else nan
