"""Draw the dashboards from a live Prometheus: `python -m scripts.draw_dashboards --prometheus URL --output FOLDER`.

For the documentation, so that a reader sees what the panels show. Grafana draws them otherwise; the pictures say so.
"""

import argparse
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from app.settings import ROOT
from app.training.pictures import STYLE

DASHBOARDS = sorted((ROOT / "monitoring" / "dashboards").glob("*.json"))
VARIABLES = {"$__rate_interval": "1m", "$namespace": "credit", "$job": "api"}
"""What Grafana would put into a query; its rate interval is four readings."""
COLUMNS = 24
"""Of Grafana's grid."""
INCH_A_COLUMN, INCH_A_ROW = 0.6, 0.36
POINTS = 240
MOST_LINES = 8
NOTE = "Drawn by scripts/draw_dashboards.py from a live Prometheus, {when} UTC, last {minutes} minutes; not Grafana."

Series = tuple[dict[str, str], list[tuple[float, float]]]
"""Labels, and moments with their values."""


@dataclass(frozen=True, slots=True)
class Source:
    """A Prometheus, and the time that is looked at."""

    client: httpx.Client
    end: float
    minutes: int

    def now(self, query: str) -> list[Series]:
        """The last values."""
        found = self._ask("query", query=query, time=str(self.end))
        return [(it["metric"], [(float(it["value"][0]), float(it["value"][1]))]) for it in found]

    def over_time(self, query: str) -> list[Series]:
        """The values of the whole time."""
        seconds = 60 * self.minutes
        between = {"start": str(self.end - seconds), "end": str(self.end), "step": str(max(1, seconds // POINTS))}
        found = self._ask("query_range", query=query, **between)
        return [(it["metric"], [(float(at), float(value)) for at, value in it["values"]]) for it in found]

    def _ask(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        answer = self.client.get(f"/api/v1/{path}", params=parameters)
        result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", help="its address (http://127.0.0.1:9090)")
    parser.add_argument("--minutes", type=int, default=30, help="how long ago the pictures begin (30)")
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="folder for dashboard-NAME.png (docs)")
    asked = parser.parse_args()
    with httpx.Client(base_url=asked.prometheus, timeout=30) as client:
        for path in DASHBOARDS:
            source = Source(client, time.time(), asked.minutes)
            (asked.output / f"dashboard-{path.stem}.png").write_bytes(draw(json.loads(path.read_text()), source))


def filled(query: str) -> str:
    """A panel's query as Prometheus gets it."""
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def panels(dashboard: Any) -> Iterator[Any]:
    """Every panel, those of rows too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def draw(dashboard: Any, source: Source) -> bytes:
    """A PNG of the whole dashboard."""
    from io import BytesIO

    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [panel for panel in panels(dashboard) if panel.get("targets")]
    rows = max(it["gridPos"]["y"] + it["gridPos"]["h"] for it in shown)
    with rc_context(STYLE | {"figure.constrained_layout.use": False, "axes.titlesize": 8.5, "legend.fontsize": 6.5}):
        figure = Figure((COLUMNS * INCH_A_COLUMN, (rows + 3) * INCH_A_ROW))
        FigureCanvasAgg(figure)
        when = datetime.fromtimestamp(source.end, UTC).strftime("%Y-%m-%d %H:%M")
        note = NOTE.format(when=when, minutes=source.minutes)
        figure.suptitle(f"{dashboard['title']}\n", fontsize=12, weight="bold", y=1 - 0.3 / (rows + 3))
        figure.text(0.5, 1 - 1.6 / (rows + 3), note, ha="center", fontsize=8)
        for panel in shown:
            _draw_panel(figure, panel, source, rows)
        file = BytesIO()
        figure.savefig(file, format="png", dpi=90)
    return file.getvalue()


def _draw_panel(figure: Any, panel: Any, source: Source, rows: int) -> None:
    place, height = panel["gridPos"], rows + 3
    box = (
        (place["x"] + 0.9) / COLUMNS,
        (rows - place["y"] - place["h"] + 1.2) / height,
        (place["w"] - 1.4) / COLUMNS,
        (place["h"] - 2.2) / height,
    )
    axes = figure.add_axes(box, title=panel["title"])
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "short")
    kinds = {"stat": _stat, "table": _table, "bargauge": _bars, "heatmap": _heatmap}
    kinds.get(panel["type"], _lines)(axes, panel["targets"], source, unit)


def _stat(axes: Any, targets: Any, source: Source, unit: str) -> None:
    axes.set_axis_off()
    found = [it for target in targets for it in source.now(filled(target["expr"]))]
    told = [_named(targets[0], labels) if "{{" in targets[0].get("legendFormat", "") else written(values[-1][1], unit)
            for labels, values in found]  # fmt: skip
    axes.text(0.5, 0.4, ", ".join(told) or "no data", ha="center", va="center", fontsize=15, weight="bold")


def _lines(axes: Any, targets: Any, source: Source, unit: str) -> None:
    drawn = 0
    for target in targets:
        for labels, values in source.over_time(filled(target["expr"])):
            points = [(datetime.fromtimestamp(at, UTC), value) for at, value in values if isfinite(value)]
            if points and drawn < MOST_LINES:
                axes.plot(*zip(*points, strict=True), linewidth=1.2, label=_named(target, labels))
                drawn += 1
    axes.yaxis.set_major_formatter(lambda value, _: written(value, unit))
    axes.tick_params(labelsize=6.5)
    if drawn:
        from matplotlib.dates import DateFormatter

        axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))  # type: ignore[no-untyped-call]
        axes.legend(loc="upper left", ncols=2)
    else:
        axes.text(0.5, 0.5, "no data", ha="center", transform=axes.transAxes)


def _bars(axes: Any, targets: Any, source: Source, unit: str) -> None:
    edges, counts = _buckets(source.now(filled(targets[0]["expr"])))
    axes.barh(edges, counts[:, -1] if len(edges) else [])
    axes.xaxis.set_major_formatter(lambda value, _: written(value, unit))
    axes.tick_params(labelsize=6.5)


def _heatmap(axes: Any, targets: Any, source: Source, _: str) -> None:
    edges, counts = _buckets(source.over_time(filled(targets[0]["expr"])))
    if len(edges):
        axes.imshow(counts, aspect="auto", origin="lower", cmap="Blues")
        axes.set_yticks(range(len(edges)), edges)
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.tick_params(labelsize=5.5)


def _buckets(found: list[Series]) -> tuple[list[str], Any]:
    """The upper edges, and how many are in each bucket alone, a column a moment."""
    ordered = sorted(found, key=lambda it: float(it[0]["le"]))
    length = min((len(values) for _, values in ordered), default=0)
    totals = np.array([[value for _, value in values[-length:]] for _, values in ordered]).reshape(len(ordered), length)
    return [labels["le"] for labels, _ in ordered], np.diff(np.nan_to_num(totals), axis=0, prepend=0)


def _table(axes: Any, targets: Any, source: Source, _: str) -> None:
    axes.set_axis_off()
    hidden = {"__name__", "job", "namespace", "container", "endpoint", "service", "instance", "pod"}
    rows = {tuple((k, v) for k, v in labels.items() if k not in hidden) for labels, _ in
            source.now(filled(targets[0]["expr"]))}  # fmt: skip
    lines = ["   ".join(f"{key} {value[:24]}" for key, value in row) for row in sorted(rows)]
    axes.text(0, 0.9, "\n".join(lines) or "no data", va="top", fontsize=7, wrap=True)


def _named(target: Any, labels: dict[str, str]) -> str:
    text = str(target.get("legendFormat") or "")
    for name, value in labels.items():
        text = text.replace("{{" + name + "}}", value)
    # A label that the series has not, as of a sum that is nothing.
    return re.sub(r"{{\w+}}", "none", text)


def written(value: float, unit: str) -> str:
    """A value in its unit."""
    if not isfinite(value):
        return "-"
    match unit:
        case "percentunit":
            return f"{100 * value:.3g} %"
        case "s" if value >= 120:
            return f"{value / 60:.0f} min"
        case "s":
            return f"{value:.3g} s" if value >= 0.1 or value == 0 else f"{1000 * value:.3g} ms"
        case "reqps" | "ops" | "cps":
            return f"{value:.3g}/s"
        case _ if abs(value) >= 1000:
            return f"{value:,.0f}"
        case _:
            return f"{value:.4g}"


if __name__ == "__main__":
    main()
