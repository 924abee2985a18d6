"""The pictures that go with a registered model, as PNG files."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from app.training import measures
from app.training.data import Dataset, Floats

DOTS_PER_INCH = 110
FEWEST_APPROVED = 200
"""Below this many approved, their default rate is noise and not drawn."""
PANELS_A_LINE = 5
EFFECT_ROWS = 400
EFFECT_VALUES = 25
BLUE, RED, GREY, GREEN = "#2563a8", "#c2410c", "#8a8f98", "#3f7d4e"

STYLE: Any = {
    "figure.figsize": (6.4, 4.6),
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e6ea",
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 11,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
}

LONG_TAIL = 20.0
"""A factor whose 95th percentile is so many times its median is drawn on a logarithmic scale."""


def draw(
    held_out: Dataset, probability: Floats, origin: Floats, model: Any, threshold: float, seed: int
) -> dict[str, bytes]:
    """File name -> PNG. probability and origin: of the candidate and of the reference architecture's model; model: the
    candidate itself, which takes factors."""
    return {
        "roc.png": png(lambda figure: _roc(figure, held_out, probability, origin)),
        "calibration.png": png(lambda figure: _calibration(figure, held_out, probability)),
        "scores.png": png(lambda figure: _scores(figure, held_out, probability, threshold)),
        "threshold.png": png(lambda figure: _threshold(figure, held_out, probability, threshold)),
        "effects.png": png(lambda figure: _effects(figure, held_out, model, threshold, seed)),
    }


def png(paint: Callable[[Any], None]) -> bytes:
    """What `paint` draws on the figure that it is given."""
    # Never pyplot: it would look for a display and keep every figure alive.
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure()
        FigureCanvasAgg(figure)
        paint(figure)
        file = BytesIO()
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
    return file.getvalue()


def _roc(figure: Any, held_out: Dataset, probability: Floats, origin: Floats) -> None:
    axes = figure.add_subplot(title="ROC curve on the held-out rows")
    for name, scores, colour in (("candidate", probability, BLUE), ("reference architecture", origin, GREY)):
        order = np.argsort(-scores, kind="stable")
        bad = held_out.outcome[order]
        last_of_its_score = np.append(np.diff(scores[order]) != 0, True)
        caught = np.append(0, np.cumsum(bad)[last_of_its_score] / bad.sum())
        refused = np.append(0, np.cumsum(1 - bad)[last_of_its_score] / (1 - bad).sum())
        area = measures.roc_auc(held_out.outcome, scores)
        axes.plot(refused, caught, color=colour, label=f"{name}, area {area:.3f}")
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="chance, area 0.500")
    axes.set(xlabel="Payers refused (share)", ylabel="Defaulters refused (share)", xlim=(0, 1), ylim=(0, 1.01))
    axes.legend(loc="lower right")


def _calibration(figure: Any, held_out: Dataset, probability: Floats) -> None:
    predicted, observed, _ = measures.calibration_bins(held_out.outcome, probability)
    error = measures.calibration_error(held_out.outcome, probability)
    axes = figure.add_subplot(title=f"Calibration in ten bins of equal counts (error {error:.4f})")
    top = 1.08 * max(predicted.max(), observed.max())
    axes.plot([0, top], [0, top], color=GREY, linewidth=1, linestyle=":", label="perfect")
    axes.plot(predicted, observed, color=BLUE, marker="o", markersize=5, label="candidate")
    axes.set(xlabel="Mean predicted probability of default (square-root scale)")
    axes.set(ylabel="Observed default rate (square-root scale)")
    # Nine of ten bins lie below 0.1, where the decisions are made; a linear scale would pile them up.
    root = (lambda values: np.sqrt(np.maximum(values, 0)), np.square)
    ticks = [tick for tick in (0, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9) if tick < top]
    for scale, place in ((axes.set_xscale, axes.set_xticks), (axes.set_yscale, axes.set_yticks)):
        scale("function", functions=root)
        place(ticks, [f"{tick:g}" for tick in ticks])
    axes.set(xlim=(0, top), ylim=(0, top))
    axes.legend(loc="upper left")


def _scores(figure: Any, held_out: Dataset, probability: Floats, threshold: float) -> None:
    axes = figure.add_subplot(title="Scores by outcome on the held-out rows")
    edges = np.geomspace(max(probability.min(), 1e-4), 1.0, 50)
    clipped = np.clip(probability, edges[0], edges[-1])
    for name, outcome, colour in (("paid", 0, GREEN), ("defaulted", 1, RED)):
        chosen = clipped[held_out.outcome == outcome]
        weights = np.full(len(chosen), 100 / len(chosen))
        axes.hist(chosen, edges, weights=weights, color=colour, alpha=0.55, label=f"{name} ({len(chosen):,})")
    axes.axvline(threshold, 0, 0.88, color="black", linewidth=1, linestyle="--", label=f"threshold {threshold:g}")
    axes.set(xscale="log", xlabel="Probability of default (log scale)", ylabel="Applicants of that outcome (%)")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(top=1.15 * axes.get_ylim()[1])
    axes.legend(loc="upper center", ncols=3)


def _threshold(figure: Any, held_out: Dataset, probability: Floats, threshold: float) -> None:
    grid = np.geomspace(0.005, 0.5, 120)
    order = np.sort(probability)
    bad = np.cumsum(held_out.outcome[np.argsort(probability, kind="stable")])
    accepted = np.searchsorted(order, grid, side="left")
    bad_rate = np.array([bad[n - 1] / n if n >= FEWEST_APPROVED else np.nan for n in accepted])
    axes = figure.add_subplot(title="What another threshold would do")
    axes.plot(grid, 100 * accepted / len(order), color=BLUE, label="approved, of all applicants")
    axes.set(xscale="log", xlabel="Threshold (probability of default, log scale)", ylim=(0, 100))
    axes.set_ylabel("Approved (%)", color=BLUE)
    right = axes.twinx()
    right.plot(grid, 100 * bad_rate, color=RED, label="default rate among the approved")
    right.set_ylabel("Default rate among the approved (%)", color=RED)
    right.set_ylim(bottom=0)
    right.grid(False)
    right.spines["right"].set_visible(True)
    axes.axvline(threshold, color="black", linewidth=1, linestyle="--", label=f"threshold {threshold:g}")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    lines = [*axes.get_lines(), *right.get_lines()]
    axes.legend(lines, [line.get_label() for line in lines], loc="lower right")


def _effects(figure: Any, held_out: Dataset, model: Any, threshold: float, seed: int) -> None:
    factors, contract = held_out.factors, held_out.contract
    lines = -(-len(contract.factors) // PANELS_A_LINE)
    figure.set_size_inches(13, 2.8 * lines)
    figure.suptitle("Mean probability of default when one factor takes each value and the others stay as they are")
    rows = factors[np.random.default_rng(seed).permutation(len(factors))[:EFFECT_ROWS]]
    panels = figure.subplots(lines, PANELS_A_LINE, sharey=True, squeeze=False)
    for axes in panels.ravel()[len(contract.factors) :]:
        axes.set_axis_off()
    for column, (factor, axes) in enumerate(zip(contract.factors, panels.ravel(), strict=False)):
        categories = contract.categories[column]
        logarithmic = not categories and has_long_tail(factors[:, column])
        values = np.arange(len(categories)) if categories else effect_values(factors[:, column], logarithmic)
        swept = np.repeat(rows, len(values), axis=0)
        swept[:, column] = np.tile(values, len(rows))
        mean = model.predict_proba(swept)[:, 1].reshape(len(rows), len(values)).mean(axis=0)
        axes.plot(values, mean, color=BLUE, marker="o", markersize=2.5, linewidth=0 if categories else 1.4)
        axes.axhline(threshold, color="black", linewidth=0.8, linestyle="--", label=f"threshold {threshold:g}")
        unit = f" ({factor.unit})" if factor.unit else ""
        axes.set_xlabel(f"{factor.name}{unit}{', log scale' if logarithmic else ''}")
        if logarithmic:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for axes in panels[:, 0]:
        axes.set_ylabel("Probability of default")
    panels[0, 0].set_ylim(bottom=0)
    panels[0, 0].legend(loc="upper left")


def has_long_tail(values: Floats) -> bool:
    """Whether an even scale would squeeze half of the values into a corner."""
    present = values[~np.isnan(values)]
    if not len(present):
        return False
    middle, high = np.quantile(present, [0.5, 0.95])
    return bool(middle > 0 and high > LONG_TAIL * middle)


def effect_values(values: Floats, logarithmic: bool) -> Floats:
    """Where one panel of the effects is evaluated: evenly from the 1st to the 95th percentile, counts one by one.

    The far ends hold codes and dollars entered as ratios, which would squeeze everyone else into a corner.
    """
    present = values[~np.isnan(values)]
    if not len(present):
        return np.zeros(1)
    low, high = np.quantile(present, [0.01, 0.95])
    if logarithmic:
        return np.geomspace(max(low, 0.01), max(high, 1.0), EFFECT_VALUES)
    if (present % 1 == 0).all() and high - low < EFFECT_VALUES:
        return np.arange(low, max(high, low + 3) + 1)
    return np.linspace(low, high, EFFECT_VALUES)
