"""Some eighty models as lenders register them: the right number, or a refusal that says why."""

import re

import pytest

from app.settings import ROOT, load_settings
from tests.support.trying import Outcome, applicants, tried
from tests.support.zoo import MODELS, REFUSED, Tried

MOST_DIFFERENCE = 1e-12

pytestmark = pytest.mark.filterwarnings("ignore:.*(pickle|cloudpickle|signature|pip_requirements).*")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Tried, Outcome]]:
    known = applicants(load_settings())
    return list(tried(tmp_path_factory.mktemp("zoo"), known))


def test_every_model_becomes_what_is_known_of_it(outcomes: list[tuple[Tried, Outcome]]) -> None:
    found = {(model.what, number): outcome.becomes for number, (model, outcome) in enumerate(outcomes)}
    assert found == {(model.what, number): model.becomes for number, model in enumerate(MODELS)}


def test_no_served_model_gives_another_number_than_its_own(outcomes: list[tuple[Tried, Outcome]]) -> None:
    served = [(model, outcome) for model, outcome in outcomes if outcome.becomes != REFUSED]
    assert len(served) > 50
    assert [model.what for model, outcome in served if not (outcome.difference or 0.0) <= MOST_DIFFERENCE] == []


def test_each_sentence_says_what_the_matter_is(outcomes: list[tuple[Tried, Outcome]]) -> None:
    wrong = [
        (model.what, model.says, outcome.sentences)
        for model, outcome in outcomes
        if bool(model.says) != bool(outcome.sentences) or not re.search(model.says, " ".join(outcome.sentences))
    ]
    assert wrong == []


def test_the_documented_table_is_of_these_models() -> None:
    rows = re.findall(r"^\| (.*?) \| (.*?) \|", (ROOT / "docs" / "models-tried.md").read_text(), re.MULTILINE)[1:]
    assert [(name.replace("… ", "  "), becomes) for name, becomes in rows] == [
        (model.what, model.becomes) for model in MODELS
    ]
