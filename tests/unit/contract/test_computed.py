"""The factors of many applicants have the bits of one applicant's, and so have their cases."""

from math import nan

import numpy as np

from app.contract.computed import ComputedFactors, wire_rows
from app.contract.factors import identity
from app.contract_file import load_contract
from app.settings import Settings

CONTRACT = load_contract(Settings())


def rows() -> "np.typing.NDArray[np.float64]":
    random = np.random.default_rng(5)
    asked = random.choice([0.0, 0.5, 1.0, 3.0, 96.0, 98.0, 5400.0], size=(300, len(CONTRACT.asked)))
    for name in CONTRACT.nullable:
        asked[random.random(300) < 0.3, CONTRACT.asked_names.index(name)] = nan
    return wire_rows(CONTRACT, asked)


def test_a_matrix_has_the_bits_of_its_vectors() -> None:
    for contract in (CONTRACT, CONTRACT.with_factors([identity(name) for name in CONTRACT.asked_names])):
        factors, wire = ComputedFactors(contract), rows()
        expected = np.array([factors.of(row) for row in wire.tolist()])
        assert factors.matrix(wire).tobytes() == expected.tobytes()


def test_the_cases_of_a_matrix_are_those_of_its_vectors() -> None:
    factors, wire = ComputedFactors(CONTRACT), rows()
    values = factors.matrix(wire)
    seen = set()
    for at, names in enumerate(factors.cases):
        flags = factors.case_flags(at, wire, values[:, at])
        for row, value, held in zip(wire.tolist(), values[:, at].tolist(), flags.tolist(), strict=True):
            expected = next((name for name, holds in zip(names, held, strict=True) if holds), None)
            assert factors.case(at, row, value) == expected
            seen.add(expected)
    assert seen == {None, "code", "not_stated", "no_income"}


def test_a_factor_without_a_value_is_missing() -> None:
    factors = ComputedFactors(CONTRACT.with_factors([identity(name) for name in CONTRACT.asked_names]))
    at = CONTRACT.asked_names.index("MonthlyIncome")
    assert factors.case(at, CONTRACT.vector([0, 0, 0, 0, None, 0, 0, 0, 0, 0]), nan) == "missing"
