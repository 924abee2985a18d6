"""Why a REJECT: the factors that raise an applicant's risk most against one who is just accepted.

For each factor that the model scored, the reference applicant's value is put in its place and the log-odds are
computed again; the factors whose replacement lowers them are the reasons, the largest fall first. Comment
9(b)(2)-5 to 12 CFR 1002.9 names that comparison, with applicants "at or slightly above the minimum passing score".
"""

from collections.abc import Sequence

from app.scoring.model import Reference, ScoringModel
from app.scoring.policy import Principal

MOST_REASONS = 4
"""More are not likely to be helpful (comment 9(b)(2)-1)."""

ELDERLY_AGE = 62.0
"""From this age (years) 12 CFR 1002.2(o) calls an applicant elderly; reports and the gate look at them apart."""

# A smaller change of the log-odds is the rounding of a sum, not an effect.
ROUNDING = 1e-9


def reference_inputs(model: ScoringModel, threshold: float) -> list[float] | None:
    """The factors of the applicant that refused ones are compared with; None for a model without a population.

    It is the one found at training. Where a threshold set since then refuses that one too, it is, of the golden
    rows without a missing value, the riskiest that is still accepted, or the least risky when none is. So wherever
    one of them is accepted the reference applicant is, and every refused applicant is a higher risk. Nobody is
    compared with an applicant of 62 or more, who may be favoured for the age.
    """
    known = model.document.reference
    if known is None:
        return None
    trained = [_value(known, name) for name in model.contract.factor_names]
    if model.scorer(trained) < threshold:
        return trained
    vectors = [model.contract.vector(row) for row in known.golden_rows if None not in row]
    others = [list(model.factors.of(vector)) for vector in vectors if not is_elderly(model, vector)]
    scored = [(model.scorer(inputs), inputs) for inputs in [trained, *others]]
    accepted = [(probability, inputs) for probability, inputs in scored if probability < threshold]
    if accepted:
        return max(accepted, key=lambda pair: pair[0])[1]
    return min(scored, key=lambda pair: pair[0])[1]


def _value(known: Reference, name: str) -> float:
    value = known.applicant[name]
    if value is not None:
        return value
    # None of the applicants just below the threshold gave it: then the middle of the whole population, where the
    # factor is a field as it stands.
    feature = known.features.get(name)
    if feature is None:
        return float("nan")
    return feature.edges[len(feature.edges) // 2] if feature.edges else feature.minimum


def is_elderly(model: ScoringModel, vector: Sequence[float]) -> bool:
    """Whether a wire vector is an applicant's of 62 or more."""
    at = model.contract.age_position
    return at is not None and vector[at] >= ELDERLY_AGE


def principal_effects(
    model: ScoringModel,
    reference: Sequence[float],
    vector: Sequence[float],
    inputs: Sequence[float],
    start: float,
    principal: Principal,
) -> list[tuple[float, int]]:
    """(effect in log-odds, place of the factor) of the reasons, strongest first; equals in the contract's order.

    vector, inputs, start: the applicant's wire vector, factors and log-odds.

    An applicant of 62 or more is not compared by age, because 12 CFR 1002.6(b)(2)(iv) forbids that the age counts
    against them: no factor that reads it is a reason then, whatever the model does. Nor is a factor with a direction
    whose value is better than the reference's, nor one without whose step towards the reference's raises the risk. Of
    the others those count whose effect has the policy's share of the strongest; the strongest always does.

    When no factor lowers the risk alone, several do together: then the reasons are a set whose joint replacement
    lowers it and that can spare none, in the order of how much the risk rises again without one. Empty only when the
    reference applicant is no lower risk: then no factor explains anything.
    """
    places = _worse(model, reference, vector, inputs)
    falls = [(start - model.log_odds(replaced(inputs, reference, [at])), at) for at in places]
    real = (
        (fall, at) for fall, at in falls if fall > ROUNDING and not _step_hurts(model, reference, inputs, start, at)
    )
    if effects := sorted(real, key=_strongest_first):
        least = max(principal.log_odds, principal.share * effects[0][0])
        return [effects[0], *(effect for effect in effects[1:] if effect[0] >= least)]
    return sorted(_together(model, reference, inputs, start, places), key=_strongest_first)


def _worse(
    model: ScoringModel, reference: Sequence[float], vector: Sequence[float], inputs: Sequence[float]
) -> list[int]:
    """Places of the factors that can be reasons."""
    contract, elderly = model.contract, is_elderly(model, vector)
    return [
        at
        for at, factor in enumerate(contract.factors)
        if contract.explained[at]
        and inputs[at] != reference[at]
        and not (elderly and contract.about_age[at])
        and not (inputs[at] - reference[at]) * factor.direction < 0
    ]


def stepped(value: float, reference: float, step: float) -> float:
    """One step from a value towards the reference applicant's, and not beyond."""
    return max(value - step, reference) if value > reference else min(value + step, reference)


def _step_hurts(
    model: ScoringModel, reference: Sequence[float], inputs: Sequence[float], start: float, at: int
) -> bool:
    factor = model.contract.factors[at]
    if factor.direction or not factor.step or inputs[at] != inputs[at]:
        return False
    moved = stepped(inputs[at], reference[at], factor.step)
    return model.log_odds([*inputs[:at], moved, *inputs[at + 1 :]]) > start + ROUNDING


def _strongest_first(effect: tuple[float, int]) -> float:
    return -effect[0]


def _together(
    model: ScoringModel, reference: Sequence[float], inputs: Sequence[float], start: float, places: list[int]
) -> list[tuple[float, int]]:
    """(effect, place) of a set that cannot be made smaller; empty when all of the factors lower nothing."""
    joint = model.log_odds(replaced(inputs, reference, places))
    if not joint < start:
        return []
    while True:
        without = [
            (model.log_odds(replaced(inputs, reference, [other for other in places if other != at])), at)
            for at in places
        ]
        lowest, least = min(without)
        if not lowest < start:
            return [(log_odds - joint, at) for log_odds, at in without]
        places = [at for at in places if at != least]
        joint = lowest


def replaced(inputs: Sequence[float], reference: Sequence[float], places: Sequence[int]) -> list[float]:
    """The inputs with the reference's values at those places."""
    changed = list(inputs)
    for at in places:
        changed[at] = reference[at]
    return changed
