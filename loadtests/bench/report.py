"""What was measured, as a table for people, as JSON and as a picture."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from loadtests.bench.contenders import SERVICE
from loadtests.bench.measuring import Line

LOADS = {"mix": "real mix", "accepted": "ACCEPT only"}
HEADINGS = ("server", "load", "requests/s", "of bare", "ours is", "CPU µs", "p50 ms", "p99 ms", "MB")
OURS, OTHERS = "#1f6f8b", "#b8bec4"
PICTURE_WIDTH_INCHES = 8.0
COLOURS = 32
"""Of the picture, which as many as the edges of its letters have would make four times as large."""


def find(lines: Sequence[Line], start: str, load: str) -> Line | None:
    """The first line of a server whose name begins so."""
    return next((line for line in lines if line.server.startswith(start) and line.load == load), None)


def table(lines: Sequence[Line], skipped: Mapping[str, str]) -> str:
    """Markdown, which a terminal shows as well. `ours is`: this service, recording the real mix, against that line."""
    bare, ours = find(lines, "bare", "mix"), find(lines, f"{SERVICE}, record on", "mix")
    rows = [
        (
            line.server,
            LOADS[line.load],
            f"{line.requests_per_second:,.0f}",
            f"{line.times(bare):.3f}" if bare else "",
            f"{ours.times(line):.1f} times" if ours and not line.server.startswith((SERVICE, "bare")) else "",
            f"{line.cpu_microseconds:,.0f}",
            f"{line.p50_ms:.2f}",
            f"{line.p99_ms:.2f}",
            f"{line.resident_megabytes:.0f}",
        )
        for line in lines
    ]
    widths = [max(len(row[at]) for row in [HEADINGS, *rows]) for at in range(len(HEADINGS))]
    marks = ["-" * width if at < 2 else "-" * (width - 1) + ":" for at, width in enumerate(widths)]
    shown = ["| " + " | ".join(_cells(row, widths)) + " |" for row in [HEADINGS, marks, *rows]]
    return "\n".join([*shown, *(f"not measured: {name}: {reason}" for name, reason in skipped.items())])


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    cells = zip(row, widths, strict=True)
    return [cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in enumerate(cells)]


def as_json(lines: Sequence[Line], skipped: Mapping[str, str], **run: Any) -> dict[str, Any]:
    """Everything that was measured, and on what. run: how it was."""
    bare = find(lines, "bare", "mix")
    packages = ("uvicorn", "uvloop", "httptools", "fastapi", "pydantic", "scikit-learn", "mlflow")
    return {
        "run": run,
        "machine": {"processor": processor(), "python": platform.python_version()},
        "versions": {name: version(name) for name in packages},
        "skipped": dict(skipped),
        "lines": [
            asdict(line)
            | {
                name: round(getattr(line, name), 3)
                for name in ("requests_per_second", "cpu_microseconds", "p50_ms", "p99_ms", "resident_megabytes")
            }
            | {"of_bare": round(line.times(bare), 4) if bare else None}
            for line in lines
        ],
    }


def processor() -> str:
    """As the kernel calls it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def picture(lines: Sequence[Line]) -> bytes:
    """PNG: a bar a line, the longest on top, with requests a second and CPU microseconds a request written out."""
    ordered = sorted(lines, key=lambda line: line.requests_per_second)
    names = [f"{line.server} ({LOADS[line.load]})" if SERVICE in line.server else line.server for line in ordered]
    rates = [line.requests_per_second for line in ordered]
    with matplotlib.rc_context({"font.size": 10}):
        figure = Figure(figsize=(PICTURE_WIDTH_INCHES, 1.0 + 0.36 * len(ordered)), layout="constrained")
        axes = figure.subplots()
        colours = [OURS if SERVICE in line.server else OTHERS for line in ordered]
        bars = axes.barh(names, rates, color=colours, height=0.7)
        labels = [f"{line.requests_per_second:,.0f}  ({line.cpu_microseconds:,.0f} µs)" for line in ordered]
        axes.bar_label(bars, labels=labels, padding=4)
        axes.set_xlim(0, 1.22 * max(rates))
        axes.set_xlabel("requests a second on one core (CPU time of each)")
        axes.spines[["top", "right"]].set_visible(False)
        drawn, small = BytesIO(), BytesIO()
        figure.savefig(drawn, format="png", dpi=100)
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, format="png", optimize=True)
    return small.getvalue()
