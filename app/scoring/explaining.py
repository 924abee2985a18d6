"""What each factor does to a probability: its value, the reference applicant's, and the difference that makes.

For the lender's people and not for the applicant: an effect is not yet a reason, which app.scoring.reasons chooses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from app.contract.fields import Value
from app.scoring.decider import Decider
from app.scoring.forms.vectorised import vectorise
from app.scoring.reasons import replaced

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FactorEffect:
    """Of one factor of the model's contract."""

    factor: str
    unit: str
    value: Value
    """The applicant's; None where it is missing or beyond all numbers. A category by its text."""
    reference: Value
    """The reference applicant's."""
    effect: float | None
    """In log-odds: how much the applicant's value raises them over the reference's; below 0 it lowers them. None where
    the log-odds are beyond all numbers."""


def factor_effects(decider: Decider, vector: Sequence[float]) -> list[FactorEffect] | None:
    """In the contract's order; None of a model without a reference population.

    vector: the wire values, NaN where one is missing. Each factor alone is given the reference applicant's value, as
    for reasons. Factors that read ignored fields only are left out.
    """
    model, reference = decider.model, decider.reference
    if reference is None:
        return None
    contract, inputs = model.contract, model.factors.of(vector)
    start = model.log_odds(inputs)
    return [
        FactorEffect(
            factor=factor.name,
            unit=factor.unit,
            value=_shown(inputs[at], contract.categories[at]),
            reference=_shown(reference[at], contract.categories[at]),
            effect=_finite(start - model.log_odds(replaced(inputs, reference, [at]))),
        )
        for at, factor in enumerate(contract.factors)
        if contract.explained[at]
    ]


class RowsEffects:
    """The same for many applicants at once. Loads numpy.

    decider: one that has a reference applicant. Raises NotCompilable for a model without a vectorised form.
    """

    def __init__(self, decider: Decider) -> None:
        self.decider = decider
        self._vectorised = vectorise(decider.model.document.spec)
        contract = decider.model.contract
        self._places = [at for at in range(len(contract.factors)) if contract.explained[at]]
        self.names = tuple(contract.factor_names[at] for at in self._places)
        """Of the factors that have an effect, in the contract's order."""

    def of(self, rows: "Floats") -> "tuple[Floats, Floats]":
        """The log-odds of each applicant, and those with the reference applicant's value of each factor, one column a
        factor. rows: one wire vector each."""
        import numpy as np

        columns = self._vectorised.prepare(self.decider.model.factors.matrix(rows))
        reference = self._vectorised.prepare(np.array([self.decider.reference]))[:, 0]
        without = np.empty((len(rows), len(self._places)))
        for number, at in enumerate(self._places):
            own = columns[at].copy()
            columns[at] = reference[at]
            without[:, number] = self._vectorised.log_odds(columns)
            columns[at] = own
        return self._vectorised.log_odds(columns), without


def _shown(value: float, categories: Sequence[str]) -> Value:
    known = _finite(value)
    return categories[int(known)] if categories and known is not None else known


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
