"""A contract's factors, computed: of one wire vector, and of a matrix of them with the same bits."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from app.contract.compiling import Vector, compile_many, compile_one
from app.contract.contract import Contract
from app.contract.factors import MISSING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]


class ComputedFactors:
    """Made once a contract."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        roots = [expression.root for expression in contract.expressions]
        self.of: Callable[[Vector], Sequence[float]] = _chosen(contract) or compile_one(roots)
        """The factors' values, NaN where one is missing, of a wire vector."""
        self.cases = tuple((*factor.cases, MISSING) for factor in contract.factors)
        """Of each factor the names of its cases, in the order in which they are looked at."""
        self._conditions = [
            [contract.condition(text).root for text in factor.cases.values()] for factor in contract.factors
        ]
        self._holds = [compile_one(each) for each in self._conditions]
        self._many: Callable[[Floats], list[Any]] | None = None
        self._many_hold: dict[int, Callable[[Floats], list[Any]]] = {}

    def case(self, at: int, vector: Vector, value: float) -> str | None:
        """The first case that holds of the factor at that place. value: the factor's own for that vector."""
        found = (*self._holds[at](vector), value != value)
        return next((name for name, holds in zip(self.cases[at], found, strict=True) if holds), None)

    def matrix(self, rows: "Floats") -> "Floats":
        """One row an applicant, one column a factor. rows: one wire vector each. Loads numpy."""
        import numpy as np

        if self._many is None:
            self._many = compile_many([expression.root for expression in self.contract.expressions])
        found = np.empty((len(rows), len(self.contract.factors)))
        for at, column in enumerate(self._many(rows.T)):
            found[:, at] = column
        return found

    def case_flags(self, at: int, rows: "Floats", values: "Floats") -> "Flags":
        """Whether each case of the factor at that place holds: one row an applicant, one column a case.

        values: the factor's own for those rows.
        """
        import numpy as np

        if at not in self._many_hold:
            self._many_hold[at] = compile_many(self._conditions[at])
        flags = np.empty((len(rows), len(self.cases[at])), np.bool_)
        for number, column in enumerate(self._many_hold[at](rows.T)):
            flags[:, number] = column
        flags[:, -1] = np.isnan(values)
        return flags


def _chosen(contract: Contract) -> Callable[[Vector], Sequence[float]] | None:
    """How factors that are all fields as they stand are had faster; None where one of them is computed."""
    roots = [expression.root for expression in contract.expressions]
    if len(roots) < 2 or any(root.field is None for root in roots):
        return None
    return itemgetter(*(contract.names.index(root.field.name) for root in roots if root.field is not None))


def wire_rows(contract: Contract, asked: "Floats") -> "Floats":
    """Wire vectors, one a row, of rows of the asked fields' numbers; what is ignored is 0. Loads numpy."""
    import numpy as np

    rows = np.zeros((len(asked), len(contract.fields)))
    rows[:, list(contract.asked_positions)] = asked
    return rows
