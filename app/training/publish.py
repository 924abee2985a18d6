"""A training as the registry takes it: one candidate with its parameters, figures and files."""

import pandas as pd

from app.registry import Candidate
from app.settings import Settings
from app.training.champion import SHARE_FIGURE
from app.training.commit import code_commit
from app.training.evaluate import flat
from app.training.fit import hyperparameters
from app.training.pipeline import Outcome
from app.training.report import model_card

EXAMPLE_ROWS = 5


def to_candidate(outcome: Outcome, settings: Settings) -> Candidate:
    """What `app.registry.register` stores."""
    contract = outcome.dataset.contract
    return Candidate(
        estimator=outcome.estimator,
        contract=contract,
        example=pd.DataFrame(outcome.training.factors[:EXAMPLE_ROWS], columns=list(contract.factor_names)),
        parameters=_parameters(outcome, settings),
        figures=metric_values(outcome) | {SHARE_FIGURE: settings.train.held_out_share},
        data_name=outcome.dataset.name,
        data_digest=outcome.digest,
        git_commit=code_commit(settings),
        reference=outcome.reference,
        pictures=outcome.pictures,
        card=model_card(outcome, settings),
    )


def metric_values(outcome: Outcome) -> dict[str, float]:
    """Metric name -> value; those without a prefix are of the candidate on the held-out rows."""
    figures = outcome.figures
    champion = outcome.champion.measures if outcome.champion is not None else None
    values = {
        **flat("", figures.overall),
        **flat("elderly_", figures.elderly),
        **flat("younger_", figures.younger),
        **flat("cv_", outcome.cross_validated),
        **flat("origin_", outcome.origin),
        **flat("champion_", champion),
        "roc_auc_low": figures.roc_auc_low,
        "roc_auc_high": figures.roc_auc_high,
        "elderly_auc_ratio": figures.elderly_auc_ratio,
        "elderly_approval_ratio": figures.elderly_approval_ratio,
        "monotonicity_violations": float(figures.monotonicity_violations),
        "withholding": float(figures.withholding),
        "perverse": float(figures.perverse),
        "training_rows": float(len(outcome.training)),
    }
    for number, group in enumerate(outcome.groups):
        values[f"group_{number}_approval_ratio"] = group.approval_ratio
    return {name: value for name, value in values.items() if value == value}


def _parameters(outcome: Outcome, settings: Settings) -> dict[str, str | float | int]:
    contract = outcome.dataset.contract
    return {
        **hyperparameters(len(outcome.training), outcome.recipe),
        **({"without": ", ".join(outcome.recipe.without)} if outcome.recipe.without else {}),
        "contract": contract.version,
        "monotone": ", ".join(f"{it.name} {it.direction:+d}" for it in contract.factors if it.direction),
        "seed": settings.train.seed,
        "folds": settings.train.folds,
        "decision_threshold": outcome.threshold,
    }
