"""`python -m loadtests.reasons [VERSION]`: what reasons the refused of the held-out rows are given, and what they cost.

VERSION is a version of the registry or an alias, production without one; the rows are those of DATA.
"""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import isnan
from time import perf_counter

from app.policy_file import load_policy
from app.promotion.judging import registered_model
from app.scoring.decider import Decider
from app.scoring.reasons import ROUNDING, principal_effects, stepped
from app.settings import load_settings
from app.terminal import table
from app.training.data import load
from app.training.split import split

ROUNDS = 5
"""The quickest of them counts."""
SHARE = 0.1
"""The step of a factor that names none, as a share of its value, but at least to the next whole number of a count."""
TRIVIAL_SHARE, TRIVIAL_LOG_ODDS = 0.05, 0.05

Wire = Sequence[float]
Effects = list[tuple[float, int]]


def microseconds(work: Callable[[Wire], object], rows: Sequence[Wire]) -> float:
    """Of one row, in the quickest round."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        for row in rows:
            work(row)
        best = min(best, perf_counter() - start)
    return 1e6 * best / len(rows)


def steps(decider: Decider, inputs: Wire, effects: Effects) -> Iterable[str]:
    """What one step of each reason's factor towards the reference applicant does to the risk."""
    model, reference = decider.model, decider.reference or []
    start = model.log_odds(inputs)
    for _, at in effects:
        value = inputs[at]
        if isnan(value):
            yield "missing"
            continue
        step = model.contract.factors[at].step or (1.0 if value.is_integer() and value < 1000 else SHARE * abs(value))
        after = model.log_odds([*inputs[:at], stepped(value, reference[at], step), *inputs[at + 1 :]])
        yield "raises it" if after > start + ROUNDING else "lowers it" if after < start else "changes nothing"


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("version", nargs="?", default="production")
    settings = load_settings()
    decider = Decider(registered_model(parser.parse_args().version, settings), load_policy(settings))
    held_out = split(load(settings), settings.train.held_out_share)[1]
    vectors = held_out.wire.tolist()
    model, reference = decider.model, decider.reference
    if reference is None:
        raise SystemExit("this version has no reference applicant, so that there are no reasons to count")
    given: Counter[str] = Counter()
    first: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    four = above = trivial = 0
    refused = [vector for vector in vectors if decider.decide(vector).verdict == "REJECT"]
    for vector in refused:
        reasons = decider.decide(vector).reasons
        given.update(reason.code for reason in reasons)
        first[reasons[0].code] += 1
        four += len(reasons) == 4
        inputs = list(model.factors.of(vector))
        effects = principal_effects(model, reference, vector, inputs, model.log_odds(inputs), decider.policy.principal)
        above += sum((inputs[at] - reference[at]) * model.contract.factors[at].direction < 0 for _, at in effects)
        trivial += any(effect < max(TRIVIAL_LOG_ODDS, TRIVIAL_SHARE * effects[0][0]) for effect, _ in effects[1:])
        moved.update(steps(decider, inputs, effects))
    score = microseconds(model.score, refused)
    whole = microseconds(decider.decide, refused)
    rows = [["code", "given to", "strongest for"]]
    rows += [[code, f"{n / len(refused):.1%}", f"{first[code] / len(refused):.1%}"] for code, n in given.most_common()]
    steps_told = ", ".join(f"{what} {n:,}" for what, n in moved.most_common())
    print(  # noqa: T201 - its output
        f"{len(vectors):,} held-out rows, {len(refused):,} refused, {four / len(refused):.1%} with four reasons\n\n"
        f"{table(rows, figures=True)}\n\n"
        f"reasons about a factor that is better than the reference's: {above}\n"
        f"refusals with a second reason below 5 % of the strongest or 0.05 log-odds: {trivial}\n"
        f"one step of a reason's factor and the risk: {steps_told}\n"
        f"a score takes {score:.1f} µs, a refusal with its reasons {whole:.1f} µs"
    )


if __name__ == "__main__":
    main()
