"""A draft is a contract that can be checked, and says what a person still has to settle."""

from pathlib import Path

import pytest

from app.contract.contract import Contract
from app.contract.drafting import draft
from app.errors import DataInvalid

TABLE = """id;years;purpose;amount;note;risk
1;30;car;10.5;a1;good
2;41;house;;b2;bad
3;30;car;-7;c3;good
4;55;car;1e3;d4;good
"""


def drafted(folder: Path, text: str = TABLE, outcome: str = "risk", bad: str = "") -> Contract:
    path = folder / "applicants.csv"
    path.write_text(text)
    return Contract.from_json(draft(path, outcome, bad).contract)


def test_types_ranges_categories_and_what_is_missing_are_found(tmp_path: Path) -> None:
    contract = drafted(tmp_path)
    found = {it.name: (it.type, it.nullable, it.minimum, it.values) for it in contract.fields}
    assert found == {
        "id": ("ignored", False, None, ()),
        "years": ("integer", False, 0.0, ()),
        "purpose": ("category", False, None, ("car", "house")),
        "amount": ("number", True, None, ()),
        "note": ("category", False, None, ("a1", "b2", "c3", "d4")),
    }
    assert (contract.outcome.name, contract.outcome.bad, contract.outcome.good) == ("risk", "bad", "good")
    assert contract.factor_names == ("years", "purpose", "amount", "note")


def test_the_text_is_yaml_that_begins_with_what_is_left_to_do(tmp_path: Path) -> None:
    path = tmp_path / "applicants.csv"
    path.write_text(TABLE)
    text = str(draft(path, "risk", ""))
    assert text.startswith("# A draft of what an application is, made from applicants.csv.")


@pytest.mark.parametrize(
    ("text", "outcome", "told"),
    [
        (TABLE, "", "name the column that says how it ended with --outcome: id, years"),
        (TABLE, "sex", "there is no column sex; there are id, years"),
        (TABLE, "years", "column years has 3 values; an outcome has two"),
        (
            "x,risk\n1,Charged Off\n2,Fully Paid\n",
            "risk",
            "holds Charged Off and Fully Paid; name the bad one with --bad",
        ),
        ("x,risk\n1,1\n2,2\n", "risk", "holds 1 and 2; name the bad one with --bad"),
        ("x,risk\n1,0\n2,\n", "risk", "column risk has empty cells"),
        ("x`y,risk\n1,0\n2,1\n", "risk", "a field cannot be called 'x`y'; rename that column"),
        ("default\n0\n1\n", "", "no column beside default can be a field"),
    ],
)
def test_what_cannot_be_drafted_names_the_remedy(tmp_path: Path, text: str, outcome: str, told: str) -> None:
    with pytest.raises(DataInvalid, match=told):
        drafted(tmp_path, text, outcome)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="cannot be read as CSV"):
        draft(tmp_path / "none.csv", "", "")


def test_the_bad_value_can_be_named(tmp_path: Path) -> None:
    contract = drafted(tmp_path, "x,risk\n1,Charged Off\n2,Fully Paid\n", bad="Charged Off")
    assert (contract.outcome.bad, contract.outcome.good) == ("Charged Off", "Fully Paid")


def test_what_only_python_takes_for_a_number_is_a_text(tmp_path: Path) -> None:
    contract = drafted(tmp_path, "x,y,risk\n1_0,inf,0\n2,3,1\n")
    assert [it.type for it in contract.fields] == ["category", "category"]
