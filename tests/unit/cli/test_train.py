"""The command line: what it prints, and its exit code."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from app import registry
from app.errors import ModelRefused, ModelUnavailable
from app.registry import Candidate, Registered
from app.scoring.model import ScoringModel
from app.settings import Settings
from app.training import pipeline
from app.training.alternatives import drawn
from app.training.champion import production
from app.training.fit import DEFAULT
from app.training.gate import Champion
from app.training.pipeline import Outcome
from tests.support.commands import credit


@dataclass
class FakeRegistry:
    """Remembers what it was given; `problem` is raised instead of the model in production."""

    problem: Exception | None = None
    registered: list[Candidate] = field(default_factory=list)
    documented: list[str] = field(default_factory=list)
    verdicts: list[tuple[str, bool, list[str]]] = field(default_factory=list)

    def register(self, candidate: Candidate, settings: Settings) -> Registered:
        self.registered.append(candidate)
        return Registered(settings.mlflow.model_name, "4", "run")

    def promote(self, registered: Registered, passed: bool, reasons: Sequence[str], settings: Settings) -> None:
        assert registered.digest == "d" * 64
        self.verdicts.append((registered.version, passed, list(reasons)))

    def document(self, registered: Registered, settings: Settings) -> Registered:
        self.documented.append(registered.version)
        return replace(registered, digest="d" * 64)

    def production_model(self, settings: Settings, besides: str) -> ScoringModel | None:
        if self.problem is not None:
            raise self.problem
        return None


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    fake = FakeRegistry()
    for name in ("register", "document", "promote", "production_model"):
        monkeypatch.setattr(registry, name, getattr(fake, name))
    monkeypatch.delenv("DATA", raising=False)
    return fake


def computed(monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    """Let the command find this training done, instead of doing it again in every test."""

    def train(dataset: object, settings: Settings, production: object, stage: object, *asked: object) -> Outcome:
        assert asked == (DEFAULT, 0)
        return outcome

    monkeypatch.setattr(pipeline, "train", train)


def test_a_candidate_that_passes_is_registered_promoted_and_printed(
    fake: FakeRegistry, outcome: Outcome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    computed(monkeypatch, outcome)
    assert credit("train") == 0
    assert fake.verdicts == [("4", True, outcome.verdict.reasons)]
    assert fake.registered[0].estimator is outcome.estimator
    assert fake.documented == ["4"]
    out = capsys.readouterr().out
    assert "gate: passed" in out
    assert "credit-default-model version 4: now production" in out


def test_a_refused_candidate_is_registered_with_its_reasons_and_exits_1(
    fake: FakeRegistry, shuffled_outcome: Outcome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    computed(monkeypatch, shuffled_outcome)
    assert credit("train") == 1
    assert fake.verdicts == [("4", False, shuffled_outcome.verdict.reasons)]
    assert "version 4: kept out of production" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("DATA", "absent.csv", "absent.csv cannot be read"),
        ("DECISION__THRESHOLD", "1.5", "setting decision.threshold"),
    ],
)
def test_what_cannot_be_judged_is_one_line_on_stderr_and_exits_2(
    fake: FakeRegistry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    reason: str,
) -> None:
    monkeypatch.setenv(variable, value)
    assert credit("train") == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("[")]
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert reason in errors[0]


def test_alternatives_without_groups_are_refused_before_anything_is_read(
    fake: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert credit("train", "--alternatives", "3") == 2
    assert capsys.readouterr().err.startswith("error: alternatives are compared by groups, and train.groups is empty")


def test_one_of_the_alternatives_is_trained_instead(
    fake: FakeRegistry, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def train(dataset: object, settings: Settings, production: object, stage: object, *recipe: object) -> Outcome:
        asked.extend(recipe)
        return outcome

    monkeypatch.setattr(pipeline, "train", train)
    assert credit("train", "--take", "7") == 0
    assert asked == [drawn(7, outcome.dataset.contract, 20), 0]


def test_a_registry_that_does_not_answer_exits_2_before_anything_is_fitted(
    fake: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.problem = ModelUnavailable("http://mlflow:5000 does not answer")
    assert credit("train") == 2
    err = capsys.readouterr().err
    assert err.splitlines()[-1] == "error: http://mlflow:5000 does not answer"
    assert "fit the candidate" not in err
    assert fake.registered == []


def test_a_model_in_production_that_is_refused_is_a_champion_with_a_problem(
    fake: FakeRegistry, settings: Settings
) -> None:
    assert production(settings) is None
    fake.problem = ModelRefused("version 3 is pickled")
    assert production(settings) == Champion("the model", None, "version 3 is pickled")
