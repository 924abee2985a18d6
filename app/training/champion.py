"""The model that a candidate has to beat: the one in production, measured as the candidate is."""

import numpy as np

from app.contract.computed import wire_rows
from app.errors import ModelRefused, NotCompilable
from app.scoring.model import ScoringModel
from app.settings import Settings
from app.training import evaluate
from app.training.data import Dataset, Floats
from app.training.gate import Champion
from app.training.split import held_out as is_held_out

SHARE_FIGURE = "held_out_share"
"""Figure of a version: the share of rows that its training held out."""


def production(settings: Settings, besides: str = "") -> ScoringModel | Champion | None:
    """The model to beat. One that exists and cannot be used is a Champion with its problem, never None.

    besides: the version that is judged, where the alias may name it already.
    Raises ModelUnavailable.
    """
    # MLflow takes seconds to import; bad data must not have to wait for it.
    from app import registry

    try:
        return registry.production_model(settings, besides)
    except (ModelRefused, NotCompilable) as error:
        return Champion("the model", None, str(error))


def measure_champion(
    production: ScoringModel | Champion | None, rows: Dataset, threshold: float, candidate: Floats
) -> Champion | None:
    """The model in production as the gate wants it: scored as the API would score it, on rows that neither saw.

    rows: the candidate's held-out ones; candidate: its probabilities on them. A champion of a smaller held-out
    share was trained on some of them, which are left out.
    """
    if not isinstance(production, ScoringModel):
        return production
    label = f"version {production.identity.version}"
    unseen = is_held_out(rows.features, production.document.figures.get(SHARE_FIGURE, 1.0))
    rows, candidate = rows.take(unseen), candidate[unseen]
    if difference := rows.contract.difference(production.contract):
        return Champion(label, None, f"it has another contract: {difference}")
    try:
        scores = scores_of(production, rows.features)
    except ModelRefused as error:
        return Champion(label, None, str(error))
    rival = None if unseen.all() else evaluate.measure(rows.outcome, candidate, threshold)
    return Champion(label, evaluate.measure(rows.outcome, scores, threshold), candidate=rival)


def scores_of(model: ScoringModel, features: Floats) -> Floats:
    """Probability of default of each row of the asked fields, as the API would give it."""
    return np.array([model.score(row) for row in wire_rows(model.contract, features).tolist()])
