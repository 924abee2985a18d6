"""What every threshold earns, as a picture."""

from typing import Any

import numpy as np

from app.training.data import Floats, Integers
from app.training.pictures import BLUE, GREEN, png

STEPS = 200


def draw_earnings(scores: Floats, outcome: Integers, margin: float, loss: float, own: float, best: float) -> bytes:
    """A PNG. scores: probabilities of default; outcome: 1 for those who defaulted; own, best: thresholds."""
    order = np.argsort(scores, kind="stable")
    gains = np.append(0.0, np.cumsum(np.where(outcome[order] == 1, -loss, margin))) / len(outcome)
    grid = np.geomspace(max(float(scores.min()), 1e-3), 0.9, STEPS)
    earned = gains[np.searchsorted(scores[order], grid, side="left")]

    def paint(figure: Any) -> None:
        axes = figure.add_subplot(title=f"What a threshold earns at a margin of {margin:.1%} and a loss of {loss:.0%}")
        axes.plot(grid, 100 * earned, color=BLUE)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.axvline(best, color=GREEN, linewidth=1, linestyle="--", label=f"earns most {best:.4f}")
        axes.axvline(own, color="black", linewidth=1, linestyle="--", label=f"the policy's {own:g}")
        axes.set(xscale="log", xlabel="Threshold (probability of default, log scale)")
        axes.set(ylabel="Profit per held-out applicant (% of a loan)")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        # Far to the right everybody is approved, and the loss there would squeeze what matters into a line.
        most = max(1e-3, 100 * float(earned.max()))
        axes.set_ylim(max(100 * float(earned.min()), -most / 2) - 0.05 * most, 1.15 * most)
        axes.legend(loc="lower left")

    return png(paint)
