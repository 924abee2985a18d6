"""What a threshold earns on the held-out rows, at a margin on those who pay and a loss on those who default."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app import registry
from app.policy_file import load_policy
from app.promotion.earning_picture import draw_earnings
from app.promotion.judging import registered_model
from app.settings import Settings
from app.terminal import table
from app.training.champion import scores_of
from app.training.data import Floats, Integers, load
from app.training.split import split

GRID = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Earned:
    """What one threshold does to the held-out applicants, each of whom asks for one unit of money."""

    threshold: float
    approval_rate: float
    default_rate: float | None
    """Of the approved; None where nobody is."""
    profit: float
    """Per applicant, in units of money: margin for each of the approved who pays, minus the loss for each other."""


@dataclass(frozen=True, slots=True)
class Earning:
    """The threshold that earns most, and what the policy's own means."""

    model: str
    rows: int
    margin: float
    loss: float
    break_even: float
    """Probability of default at which one applicant earns nothing: margin / (margin + loss)."""
    implied_margin: float
    """That at which the policy's own threshold is the break-even."""
    own: Earned
    best: Earned
    curve: list[Earned]
    picture: str | None
    """Where it is among the pictures of the version's run; None where the version has no run."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        rows = [["threshold", "approved", "default rate of them", "profit per applicant"]]
        for it in self.curve:
            rate = "-" if it.default_rate is None else f"{it.default_rate:.2%}"
            rows.append([f"{it.threshold:.4f}", f"{it.approval_rate:.2%}", rate, f"{it.profit:.5f}"])
        return "\n".join(
            [
                f"{self.model}, {self.rows:,} held-out rows: margin {self.margin:.2%}, loss {self.loss:.0%}",
                "",
                table(rows, figures=True),
                "",
                f"earns most: {self.best.threshold:.4f}, {self.best.profit:.5f} per applicant, "
                f"{self.best.approval_rate:.2%} approved",
                f"the policy's: {self.own.threshold:g}, {self.own.profit:.5f} per applicant, "
                f"{self.own.approval_rate:.2%} approved; it fits a margin of {self.implied_margin:.2%}",
                f"break-even of one applicant: {self.break_even:.4f}",
                f"picture: {self.picture or 'none, because the version has no run to keep it with'}",
            ]
        )


def earning(which: str, margin: float, loss: float, settings: Settings) -> Earning:
    """Of a version or an alias, on the held-out rows of the data that the settings name; its picture goes to MLflow.

    margin: what a loan that is paid earns; loss: what one that is not loses; both as shares of the amount.
    Raises ModelUnavailable, ModelRefused, DataInvalid, PolicyInvalid.
    """
    model = registered_model(which, settings)
    threshold = load_policy(settings).threshold
    _, held_out = split(load(settings), settings.train.held_out_share)
    scores = scores_of(model, held_out.features)

    def of(value: float) -> Earned:
        return earned(value, scores, held_out.outcome, margin, loss)

    best = of(best_threshold(scores, held_out.outcome, margin, loss))
    curve = sorted({*GRID, threshold, best.threshold})
    drawn = draw_earnings(scores, held_out.outcome, margin, loss, threshold, best.threshold)
    name = f"earnings-margin-{margin:g}-loss-{loss:g}.png"
    return Earning(
        model=f"{model.identity.name} version {model.identity.version}",
        rows=len(held_out),
        margin=margin,
        loss=loss,
        break_even=margin / (margin + loss),
        implied_margin=loss * threshold / (1 - threshold),
        own=of(threshold),
        best=best,
        curve=[of(value) for value in curve],
        picture=registry.keep_picture(name, drawn, model.identity.run_id, settings),
    )


def earned(threshold: float, scores: Floats, outcome: Integers, margin: float, loss: float) -> Earned:
    """scores: probabilities of default; outcome: 1 for those who defaulted."""
    approved = outcome[scores < threshold]
    bad = int(approved.sum())
    profit = (margin * (len(approved) - bad) - loss * bad) / len(outcome)
    return Earned(threshold, len(approved) / len(outcome), bad / len(approved) if len(approved) else None, profit)


def best_threshold(scores: Floats, outcome: Integers, margin: float, loss: float) -> float:
    """The lowest threshold that earns most on these rows: just above the riskiest score that it approves."""
    order = np.argsort(scores, kind="stable")
    gains = np.cumsum(np.where(outcome[order] == 1, -loss, margin))
    # Applicants of one score are approved together.
    last = np.append(np.diff(scores[order]) > 0, True)
    at = int(np.where(last, gains, -np.inf).argmax())
    return float(np.nextafter(scores[order][at], 1.0)) if gains[at] > 0 else float(scores.min())
