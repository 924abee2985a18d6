"""The exponent with which a cost grows, and that each series but the training's can be had."""

from collections.abc import Iterator

import pytest

from app.policy_file import load_policy
from app.settings import Settings
from app.training.data import load
from loadtests.growth import deciding, keeping
from loadtests.growth.series import HEADER, Series


@pytest.mark.parametrize(
    ("costs", "exponent"), [([3.0, 3.0, 3.0], 0.0), ([3.0, 30.0, 300.0], 1.0), ([1.0, 100.0, 10_000.0], 2.0)]
)
def test_the_exponent_is_the_slope_of_the_logarithms(costs: list[float], exponent: float) -> None:
    series = Series("rows", "s", dict(zip((10, 100, 1_000), costs, strict=True)))
    assert series.exponent == pytest.approx(exponent)
    assert float(series.line()[-1]) == pytest.approx(exponent)
    assert len(series.line()) == len(HEADER)


def test_each_thing_that_grows_is_measured_at_each_of_its_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((deciding, "TREES"), (deciding, "FACTORS"), (deciding, "RULES"), (keeping, "WAITING")):
        monkeypatch.setattr(module, name, (2, 3))
    monkeypatch.setattr(keeping, "KEYS", (2, 3))
    monkeypatch.setattr(keeping, "APPENDED", 5)
    dataset, policy = load(Settings()), load_policy(Settings())

    def measured() -> Iterator[Series]:
        yield from deciding.of_trees(dataset, policy)
        yield from deciding.of_rules(dataset, policy)
        yield from deciding.of_factors(policy)
        yield from keeping.of_keys()
        yield from keeping.of_backlog()

    found = list(measured())
    assert len({(it.grows, it.costs) for it in found}) == 9
    assert all([*it.by_size] == [2, 3] and min(it.by_size.values()) > 0 for it in found)
