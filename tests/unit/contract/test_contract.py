"""A contract says which fields there are and what a model sees of them; one with a mistake is refused."""

from collections.abc import Callable
from math import nan
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.contract.compiling import compile_one
from app.contract.contract import Contract
from app.contract.factors import identity
from app.contract_file import load_contract, read_contract
from app.errors import ContractInvalid
from app.settings import ROOT, ContractSettings, Settings

SHIPPED = (ROOT / "configs" / "contract.yaml").read_text()
SMALL: dict[str, Any] = {
    "outcome": {"name": "risk", "bad": "bad", "good": "good"},
    "age": "years",
    "fields": [
        {"name": "row", "type": "ignored", "example": 0},
        {"name": "years", "type": "integer", "minimum": 18, "maximum": 99, "example": 30},
        {"name": "purpose", "type": "category", "values": ["car", "house"], "example": "car"},
        {"name": "amount", "nullable": True, "minimum": 0},
    ],
    "factors": [
        {"name": "age", "expression": "years", "risk": "falls"},
        {"name": "purpose", "expression": "purpose"},
        {"name": "amount", "expression": "0 if missing(amount) else amount", "cases": {"unknown": "missing(amount)"}},
    ],
}


def load(folder: Path, document: Any) -> Contract:
    path = folder / "contract.yaml"
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return load_contract(Settings(contract=ContractSettings(file=path)))


def changed(change: Callable[[Any], object]) -> Any:
    document = yaml.safe_load(yaml.safe_dump(SMALL))
    change(document)
    return document


def test_the_shipped_contract_has_the_reference_architectures_eleven_positions() -> None:
    contract = load_contract(Settings())
    assert len(contract.fields) == 11
    assert [each.name for each in contract.fields if not each.asked] == ["row_number"]
    assert contract.nullable == {"MonthlyIncome", "NumberOfDependents"}
    assert contract.outcome.name == "SeriousDlqin2yrs"


def test_what_the_file_says_survives_json(tmp_path: Path) -> None:
    for document in (SHIPPED, SMALL):
        contract = load(tmp_path, document)
        again = Contract.from_json(contract.to_json())
        assert again == contract
        assert again.version == contract.version


def test_values_become_a_vector_and_come_back(tmp_path: Path) -> None:
    contract = load(tmp_path, SMALL)
    vector = contract.vector([30, "house", None])
    assert vector[:3] == [0.0, 30.0, 1.0]
    assert vector[3] != vector[3]
    assert contract.values(vector) == [30.0, "house", None]
    assert compile_one([it.root for it in contract.expressions])(vector) == (30.0, 1.0, 0.0)
    assert contract.categories == ((), ("car", "house"), ())
    assert contract.about_age == (True, False, False)


def test_a_factor_that_is_a_field_has_the_fields_name() -> None:
    contract = load_contract(Settings())
    named = contract.with_factors([identity(name) for name in contract.names])
    vector = [float(at) for at in range(11)]
    assert compile_one([it.root for it in named.expressions])(vector) == tuple(vector)
    assert named.explained == (False, *[True] * 10)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ((1, nan), "must be a finite number"),
        ((1, "30"), "must be a finite number"),
        ((1, 30.5), "must be a whole number"),
        ((1, 17), "must be from 18 to 99"),
        ((1, None), "is missing"),
        ((2, "boat"), "must be one of car, house"),
        ((3, -1), "must be at least 0"),
        ((3, None), None),
        ((1, 30), None),
    ],
)
def test_a_value_that_is_not_allowed_is_told(tmp_path: Path, value: tuple[int, Any], told: str | None) -> None:
    at, it = value
    assert load(tmp_path, SMALL).fields[at].complaint(it) == told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda it: it.pop("outcome"), "outcome is missing"),
        (lambda it: it.update(colour="red"), "colour is not known"),
        (lambda it: it.update(age="amounts"), "age: amounts is no field"),
        (lambda it: it["outcome"].update(good="bad"), "bad and good are the same"),
        (lambda it: it["fields"][1].update(example=17), "years: its own example must be from 18 to 99"),
        (lambda it: it["fields"][1].pop("example"), "years: an example is missing"),
        (lambda it: it["fields"][1].update(minimum=100), "minimum 100 is above maximum 99"),
        (lambda it: it["fields"][1].update(type="text"), "fields.years.type is 'text'"),
        (lambda it: it["fields"][2].update(values=["car"]), "a category needs 2 to 250 values"),
        (lambda it: it["fields"][2].update(values=[1, 2]), "fields.purpose.values.0 is 1"),
        (lambda it: it["fields"][2].update(name="years"), "the field years is named 2 times"),
        (lambda it: it["fields"][0].update(name="risk"), "the field risk is named 2 times"),
        (lambda it: it["factors"][2].update(name="age"), "the factor age is named 2 times"),
        (lambda it: it["factors"][0].update(expression="year"), "factor age: 'year' is no field"),
        (lambda it: it["factors"][0].update(expression="years > 1"), "factor age: it is a condition"),
        (lambda it: it["factors"][1].update(risk="rises"), "factor purpose: a category has no order"),
        (lambda it: it["factors"][2]["cases"].update(unknown="amount"), "case unknown: 'amount' is no condition"),
        (lambda it: it["factors"][2]["cases"].update(above="amount > 1"), "case above: above, below and missing"),
    ],
)
def test_a_contract_with_a_mistake_names_the_place(tmp_path: Path, change: Callable[[Any], object], told: str) -> None:
    with pytest.raises(ContractInvalid, match=r"contract contract\.yaml") as caught:
        load(tmp_path, changed(change))
    assert told in str(caught.value)


@pytest.mark.parametrize("content", ["[1", "a: 1\na: 2", "- 1"])
def test_a_file_that_is_no_mapping_is_told(tmp_path: Path, content: str) -> None:
    with pytest.raises(ContractInvalid, match="contract.yaml (is not YAML|must hold outcome)"):
        load(tmp_path, content)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractInvalid, match="cannot be read: No such file"):
        read_contract(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda it: it["fields"][1].update(description="Years.", example=31), ""),
        (lambda it: it["factors"].pop(), ""),
        (lambda it: it["fields"][3].update(nullable=False, example=1), "its field amount has nullable false"),
        (lambda it: it["fields"][2].update(values=["car", "boat"]), "has values car, boat; the service has car, house"),
        (
            lambda it: (
                it["fields"][3].update(
                    name="sum",
                )
                or it["factors"].pop()
            ),
            "it asks for the fields row, years",
        ),
    ],
)
def test_contracts_differ_where_callers_have_to_know(
    tmp_path: Path, change: Callable[[Any], object], told: str
) -> None:
    difference = load(tmp_path, SMALL).difference(load(tmp_path, changed(change)))
    assert difference.startswith(told) if not told else told in difference
    assert bool(difference) == bool(told)
