"""Why a REJECT: the features that raise an applicant's risk most against one who is just accepted.

For each feature that the model scored, the reference applicant's value is put in its place and the log-odds are
computed again; the features whose replacement lowers them are the reasons, the largest fall first. Comment
9(b)(2)-5 to 12 CFR 1002.9 names that comparison, with applicants "at or slightly above the minimum passing score".
"""

from collections.abc import Sequence

from app.features import ELDERLY_AGE, FEATURES, POSITIONS, ROW_NUMBER
from app.scoring.model import Reference, ScoringModel, wire_vector

MOST_REASONS = 4
"""More are not likely to be helpful (comment 9(b)(2)-1)."""

AGE = POSITIONS.index("age")

# A smaller change of the log-odds is the rounding of a sum, not an effect.
ROUNDING = 1e-9


def reference_vector(model: ScoringModel, threshold: float) -> list[float] | None:
    """The applicant that refused ones are compared with, as a wire vector; None for a model without a population.

    It is the one found at training. Where a threshold set since then refuses that one too, it is, of the golden
    rows without a missing value, the riskiest that is still accepted, or the least risky when none is. So wherever
    one of them is accepted the reference applicant is, and every refused applicant is a higher risk.
    """
    known = model.document.reference
    if known is None:
        return None
    trained = _not_elderly([0.0, *(_value(known, name) for name in FEATURES)])
    if model.score(trained) < threshold:
        return trained
    others = [_not_elderly(wire_vector(row)) for row in known.golden_rows if None not in row]
    scored = [(model.score(vector), vector) for vector in [trained, *others]]
    accepted = [(probability, vector) for probability, vector in scored if probability < threshold]
    if accepted:
        return max(accepted, key=lambda pair: pair[0])[1]
    return min(scored, key=lambda pair: pair[0])[1]


def _value(known: Reference, name: str) -> float:
    value = known.applicant[name]
    if value is not None:
        return value
    # None of the applicants just below the threshold gave it: then the middle of the whole population.
    feature = known.features[name]
    return feature.edges[len(feature.edges) // 2] if feature.edges else feature.minimum


def _not_elderly(vector: list[float]) -> list[float]:
    """With an age of at most 62, so that nobody is compared with an applicant favoured for being older than that."""
    vector[AGE] = min(vector[AGE], ELDERLY_AGE)
    return vector


def principal_positions(model: ScoringModel, reference: Sequence[float], vector: Sequence[float]) -> list[int]:
    """Wire positions of the at most four features that raise the risk most, strongest first; equals in wire order.

    An applicant of 62 or more is compared with a reference applicant of the same age, because 12 CFR
    1002.6(b)(2)(iv) forbids that the age counts against them: age is then no reason, whatever the model does.

    When no feature lowers the risk alone, several do together: then the reasons are a set whose joint replacement
    lowers it and that can spare none, in the order of how much the risk rises again without one. Empty only when the
    reference applicant is no lower risk: then no feature explains anything.
    """
    elderly = vector[AGE] >= ELDERLY_AGE
    positions = [
        at
        for at in sorted(model.document.positions)
        if POSITIONS[at] != ROW_NUMBER and vector[at] != reference[at] and not (elderly and at == AGE)
    ]
    start = model.log_odds(vector)
    falls = [(start - model.log_odds(_replaced(vector, reference, [at])), at) for at in positions]
    effects = [(fall, at) for fall, at in falls if fall > ROUNDING] or _together(
        model, reference, vector, start, positions
    )
    return [at for _, at in sorted(effects, key=lambda effect: -effect[0])[:MOST_REASONS]]


def _together(
    model: ScoringModel, reference: Sequence[float], vector: Sequence[float], start: float, positions: list[int]
) -> list[tuple[float, int]]:
    """(effect, position) of a set that cannot be made smaller; empty when all of the features lower nothing."""
    joint = model.log_odds(_replaced(vector, reference, positions))
    if not joint < start:
        return []
    while True:
        without = [
            (model.log_odds(_replaced(vector, reference, [other for other in positions if other != at])), at)
            for at in positions
        ]
        lowest, least = min(without)
        if not lowest < start:
            return [(log_odds - joint, at) for log_odds, at in without]
        positions = [at for at in positions if at != least]
        joint = lowest


def _replaced(vector: Sequence[float], reference: Sequence[float], positions: Sequence[int]) -> list[float]:
    changed = list(vector)
    for at in positions:
        changed[at] = reference[at]
    return changed
