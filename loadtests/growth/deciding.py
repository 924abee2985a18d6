"""A score and a refusal with its reasons, by the model's trees, its factors and the policy's rules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from app.contract.contract import Contract
from app.scoring.decider import Decider
from app.scoring.forms.extract import extract
from app.scoring.model import Identity, ModelDocument, ScoringModel
from app.scoring.policy import Phrase, Policy, Rule
from app.training.data import Dataset
from harness.population import reference
from loadtests.growth.series import Series, microseconds

TREES, FACTORS, RULES = (25, 50, 100, 200, 400), (5, 10, 20, 40, 80), (1, 4, 16, 64)
APPLICANTS = 2_000
SEED = 1


def of_trees(dataset: Dataset, policy: Policy) -> Iterator[Series]:
    deciders = ((trees, decider_of(dataset, policy, trees)) for trees in TREES)
    yield from _deciding("trees", deciders, dataset.wire[:APPLICANTS].tolist())


def of_rules(dataset: Dataset, policy: Policy) -> Iterator[Series]:
    """None of the rules refuses anybody, so that each is asked."""
    known = decider_of(dataset, policy)
    reason = Phrase("NEVER", "no applicant is as old as that")
    deciders = (
        (rules, replace(known, policy=replace(policy, rules=(Rule(f"age > {1_000 + rules}", reason),) * rules)))
        for rules in RULES
    )
    yield from _deciding("rules of the policy", deciders, dataset.wire[:APPLICANTS].tolist())


def of_factors(policy: Policy) -> Iterator[Series]:
    """Of made-up applicants, whose every field is a factor that says something."""
    rows = np.random.default_rng(SEED).normal(size=(10 * APPLICANTS, max(FACTORS)))
    noise = np.random.default_rng(SEED + 1).normal(size=len(rows))

    def deciders() -> Iterator[tuple[int, Decider]]:
        for count in FACTORS:
            seen = rows[:, :count]
            names = [f"f{number}" for number in range(count)]
            fields = [{"name": name, "example": 0} for name in names]
            factors = [{"name": name, "expression": name, "risk": "rises"} for name in names]
            contract = Contract.from_json({"outcome": {"name": "bad"}, "fields": fields, "factors": factors})
            model = _model().fit(seen, seen.sum(axis=1) / np.sqrt(count) + noise > 1)
            yield count, _decider(model, contract, replace(policy, rules=()))

    yield from _deciding("factors", deciders(), rows[:APPLICANTS].tolist())


def decider_of(dataset: Dataset, policy: Policy, trees: int = 100) -> Decider:
    return _decider(_model(trees).fit(dataset.factors, dataset.outcome), dataset.contract, policy)


def _model(trees: int = 100) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=trees, early_stopping=False, random_state=SEED)


def _decider(model: HistGradientBoostingClassifier, contract: Contract, policy: Policy) -> Decider:
    identity = Identity("growth", "1", "models:/growth/1", "r", "d" * 64, 0.0)
    population = replace(reference(contract.factor_names), features={})
    document = ModelDocument(identity, contract, extract(model), population, {})
    return Decider(ScoringModel.compiled(document), policy)


def _deciding(grows: str, deciders: Iterable[tuple[int, Decider]], rows: Sequence[Sequence[float]]) -> Iterator[Series]:
    """rows: wire vectors, of which a smaller contract takes the first values."""
    scores: dict[int, float] = {}
    refusals: dict[int, float] = {}
    for size, decider in deciders:
        vectors = [row[: len(decider.model.contract.fields)] for row in rows]
        scores[size] = microseconds(decider.model.score, vectors)
        refused = [vector for vector in vectors if decider.decide(vector).verdict == "REJECT"]
        refusals[size] = microseconds(decider.decide, refused)
    yield Series(grows, "µs a score", scores)
    yield Series(grows, "µs a refusal with its reasons", refusals)
