"""A training in words: the table on the terminal and the model card."""

from collections.abc import Sequence

from app.settings import GateSettings, Settings
from app.terminal import interval, markdown_table, number, table
from app.training.alternatives import Alternative, frontier
from app.training.commit import code_commit
from app.training.evaluate import Measures
from app.training.fit import hyperparameters
from app.training.pipeline import Outcome

# Measure -> how a reader knows it, and how it is written.
ROWS: dict[str, tuple[str, str]] = {
    "roc_auc": ("ROC AUC", ".4f"),
    "brier": ("Brier score", ".5f"),
    "calibration_error": ("Calibration error", ".5f"),
    "ks": ("KS distance", ".4f"),
    "approval_rate": ("Approved", ".2%"),
    "recall": ("Defaulters refused (recall)", ".2%"),
    "precision": ("Defaulters among refused (precision)", ".2%"),
}
REFERENCE_LINE = "reference architecture"
CHOSEN = """The ratio is of the lowest approval rate of a group to the highest. Whichever is chosen among many looks
a little better on the rows that it was chosen on; credit train --take NUMBER trains it, and the gate judges it."""


def terminal_report(outcome: Outcome, settings: Settings) -> str:
    """Aligned for a terminal: what was trained on, the figures, the verdict with each reason."""
    verdict = outcome.verdict
    training, held_out = len(outcome.training), len(outcome.held_out)
    searched = [table(_alternatives(frontier(outcome.alternatives), training)), "", CHOSEN, ""]
    return "\n".join(
        [
            f"{outcome.dataset.name}: {training:,} training rows, {held_out:,} held-out rows, "
            f"decision threshold {outcome.threshold:g}",
            "",
            table(_figures(outcome, settings), figures=True),
            "",
            table(_slices(outcome), figures=True),
            "",
            *([table(_groups(outcome), figures=True), ""] if outcome.groups else []),
            *(searched if outcome.alternatives else []),
            "gate: passed" if verdict.passed else "gate: REFUSED",
            *(f"  - {reason}" for reason in verdict.reasons),
        ]
    )


def model_card(outcome: Outcome, settings: Settings) -> str:
    """One page of Markdown."""
    train, gate, threshold = settings.train, settings.train.gate, outcome.threshold
    contract = outcome.dataset.contract
    factors = [["Factor", "Computed as", "Risk"]]
    factors += [[it.name, f"`{it.expression}`", it.risk] for it in contract.factors]
    chosen = hyperparameters(len(outcome.training), outcome.recipe)
    parameters = ", ".join(f"{name} {value}" for name, value in chosen.items())
    without = f"\nIt uses all of them but {', '.join(outcome.recipe.without)}." if outcome.recipe.without else ""
    applicant = ", ".join(
        f"{name} {'missing' if value is None else f'{value:g}'}" for name, value in outcome.reference.applicant.items()
    )
    return f"""# {settings.mlflow.model_name}

Probability of default: that `{contract.outcome.name}` is {contract.outcome.bad}. {contract.outcome.description}
An applicant is refused from {threshold:g} on.

## Data

| | |
|---|---|
| data | {outcome.dataset.name} |
| SHA-256 of the cleaned rows | `{outcome.digest}` |
| rows | {len(outcome.dataset):,}, of which {len(outcome.held_out):,} held out by a hash of each row's features |
| default rate | {outcome.dataset.outcome.mean():.2%} |
| seed | {train.seed} |
| commit of the code | {code_commit(settings)} |

## Model

HistGradientBoostingClassifier on the {len(contract.factors)} factors of contract {contract.version}
({parameters}).{without}

{markdown_table(factors, figures=False)}

The risk never moves against a factor's direction. The fields with a direction, swept over their whole ranges on real
rows, broke it {outcome.figures.monotonicity_violations} times. Of the held-out rows, {outcome.figures.withholding}
refused applicants would be accepted if they left a value out, and {outcome.figures.perverse} accepted ones refused if
one value were better by 10, 25 or 50 %.

## Figures

{markdown_table(_figures(outcome, settings))}

The cross-validation is over the whole file; the interval is the bootstrap's 2.5th to 97.5th percentile in
{train.bootstrap_rounds} resamples of the held-out rows; the calibration error is over ten bins of equal counts. The
last column is logistic regression on all columns, the row number among them, on the same held-out rows: a line to
compare with.

## Applicants of 62 and over, and below

{markdown_table(_slices(outcome))}

A slice with fewer than ten defaulters or payers is left out.
{_kept_apart(outcome)}{_searched(outcome)}
## Gate

ROC AUC at least {gate.min_roc_auc:g}; calibration error at most {gate.max_calibration_error:g}; no direction
broken; nobody refused who would be accepted with a value left out, nobody accepted who would be refused with a better
value; for 62 and over against below, ROC AUC at least {gate.min_elderly_auc_ratio:g} and approval rate at least
{gate.min_elderly_approval_ratio:g} times; {_group_limits(gate)}against
the model in production on the same held-out rows, at most
{gate.max_auc_loss:g} of ROC AUC and {gate.max_brier_loss:g} of Brier score lost.
Verdict: **{"passed" if outcome.verdict.passed else "refused"}**.

{chr(10).join(f"- {reason}" for reason in outcome.verdict.reasons)}

## Reference applicant

The median of the accepted applicants closest below the threshold; reasons for a refusal are found against it:
{applicant}.

## Limits of use

- It ranks applicants like those of the data above. Their defaults are of one period and one lender's intake;
  nobody who was refused before is among them, and nothing says how they would have paid.
- It is not a price, not a limit and not a loss: it says how likely, not how much.
- Age is an input. It can only lower the risk, but whether a credit system with age is lawful where you lend is
  for you to establish, as is every other protected ground, none of which is in the data.
- Values outside the training ranges are scored by the nearest known ones and reported as out of range.
- A model from the synthetic sample shows that the system runs. It must decide about nobody.
"""


def _figures(outcome: Outcome, settings: Settings) -> list[list[str]]:
    figures = outcome.figures
    champion = outcome.champion.measures if outcome.champion is not None else None
    rows = [["", f"{settings.train.folds}-fold CV mean", "held out", "95 % interval", REFERENCE_LINE]]
    if champion is not None and outcome.champion is not None:
        rows[0].append(f"{outcome.champion.label} (production)")
    for name in ROWS:
        interval = f"{figures.roc_auc_low:.4f} to {figures.roc_auc_high:.4f}" if name == "roc_auc" else ""
        cells = [_cell(name, outcome.cross_validated), _cell(name, figures.overall), interval]
        cells.append(_cell(name, outcome.origin))
        rows.append([ROWS[name][0], *cells, *([] if champion is None else [_cell(name, champion)])])
    return rows


def _slices(outcome: Outcome) -> list[list[str]]:
    slices = {"62 and over": outcome.figures.elderly, "below 62": outcome.figures.younger}
    measured = {name: found for name, found in slices.items() if found is not None}
    rows = [["held out", *measured]]
    rows.append(["Applicants", *(f"{found.rows:,}" for found in measured.values())])
    rows.append(["Default rate", *(f"{found.bad_rate:.2%}" for found in measured.values())])
    return rows + [[ROWS[name][0], *(_cell(name, found) for found in measured.values())] for name in ROWS]


def _groups(outcome: Outcome) -> list[list[str]]:
    rows = [
        ["held out", "applicants", "approved", "ratio to the largest", "95 % interval", "ROC AUC", "calibration error"]
    ]
    for it in outcome.groups:
        ratio, interval = f"{it.approval_ratio:.3f}", f"{it.low:.3f} to {it.high:.3f}"
        measures = [_written("roc_auc", it.roc_auc), _written("calibration_error", it.calibration_error)]
        approved = _written("approval_rate", it.approval_rate)
        rows.append([f"{it.column}: {it.name}", f"{it.rows:,}", approved, ratio, interval, *measures])
    return rows


def _group_limits(gate: GateSettings) -> str:
    limits = [
        (gate.min_group_auc_ratio, "ROC AUC at least {:g} times that of the largest"),
        (gate.min_group_approval_ratio, "approval rate at least {:g} times that of the largest"),
        (gate.max_group_calibration_error, "calibration error at most {:g}"),
    ]
    asked = [text.format(limit) for limit, text in limits if limit]
    return f"for each group that the model does not see, {' and '.join(asked)}; " if asked else ""


def _kept_apart(outcome: Outcome) -> str:
    """The groups that no model sees, as a section; empty where no column is named."""
    if not outcome.groups:
        return ""
    return f"""
## Groups that the model does not see

{markdown_table(_groups(outcome))}

A group with fewer than ten defaulters or payers is left out. The ratio is of approval rates, to that of the largest
group of the same column; its interval is Katz's. It says how decisions differ between the groups of
these rows, and not why.
"""


def _alternatives(found: Sequence[Alternative], training: int) -> list[list[str]]:
    """training: how many rows they are fitted to."""
    default = hyperparameters(training)
    rows = [["alternative", "ROC AUC", "Brier score", "approved", "ratio", "95 % interval", "between", "made with"]]
    for it in found:
        chosen = hyperparameters(training, it.recipe)
        made = [f"{name} {value:g}" for name, value in chosen.items() if value != default[name]]
        made += [f"without {', '.join(it.recipe.without)}"] if it.recipe.without else []
        measures = [_written(name, getattr(it, name)) for name in ("roc_auc", "brier", "approval_rate")]
        ratio = [number(it.ratio, ".3f"), interval(it.low, it.high, ".3f"), it.between]
        rows.append([str(it.number or "this model"), *measures, *ratio, "; ".join(made) or "defaults"])
    return rows


def _searched(outcome: Outcome) -> str:
    """The alternatives, as a section; empty where none were searched for."""
    if not outcome.alternatives:
        return ""
    best = ", ".join(str(it.number or "this model") for it in frontier(outcome.alternatives))
    return f"""
## Less discriminatory alternatives

{markdown_table(_alternatives(outcome.alternatives, len(outcome.training)), figures=False)}

On the frontier, which no other one beats in ROC AUC or ratio without losing in the other: {best}. {CHOSEN}
"""


def _cell(name: str, measured: Measures) -> str:
    return _written(name, getattr(measured, name))


def _written(name: str, value: float) -> str:
    return format(value, ROWS[name][1]) if value == value else "not measurable"
