"""The alternatives as a picture: how well each ranks against how alike it treats groups."""

from collections.abc import Sequence
from typing import Any

from app.training.alternatives import Alternative, frontier
from app.training.pictures import BLUE, GREY, RED, png


def draw_alternatives(found: Sequence[Alternative]) -> bytes:
    """A PNG. found: the candidate first."""
    best = frontier(found)

    def paint(figure: Any) -> None:
        axes = figure.add_subplot(title=f"{len(found) - 1} alternatives on the held-out rows")
        axes.scatter([it.ratio for it in found[1:]], [it.roc_auc for it in found[1:]], color=GREY, s=18, label="others")
        axes.plot(
            [it.ratio for it in best],
            [it.roc_auc for it in best],
            color=BLUE,
            marker="o",
            markersize=5,
            label="not beaten in both",
        )
        for it in best:
            axes.annotate(str(it.number), (it.ratio, it.roc_auc), (4, 4), textcoords="offset points", fontsize=8)
        mine = found[0]
        errors = [[mine.ratio - mine.low], [mine.high - mine.ratio]]
        axes.errorbar(
            [mine.ratio], [mine.roc_auc], xerr=errors, color=RED, fmt="D", markersize=5, linewidth=1, label="this model"
        )
        axes.set(xlabel="Lowest approval rate of a group / highest (bar: 95 %)", ylabel="ROC AUC")
        axes.legend(loc="lower right")

    return png(paint)
