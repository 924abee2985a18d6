"""How far a long command is, and its tables: drawn by rich on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_SECONDS = 5.0


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """The function to call with how many more are done. Writes to stderr, so that stdout holds only results.

    On a terminal a bar that is gone at the end, elsewhere a line every LINE_SECONDS.
    """
    if not sys.stderr.isatty():
        yield _counting_lines(total, what)
        return
    with _bar() as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def stages(names: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """The function to call as each of the stages begins. Writes to stderr: a bar on a terminal, else a line a stage."""
    if not sys.stderr.isatty():
        yield _stage_lines(names)
        return
    with _bar() as bar:
        task = bar.add_task("", total=len(names))
        yield lambda stage: bar.update(task, description=stage, completed=names.index(stage), refresh=True)


def table(rows: Sequence[Sequence[str]], figures: bool = False) -> str:
    """Rows in columns, the first row as their heads. figures: every column but the first is aligned to the right."""
    return _drawn(rows, figures) if sys.stdout.isatty() else "\n".join(_aligned(rows, figures))


def markdown_table(rows: Sequence[Sequence[str]], figures: bool = True) -> str:
    """The same as a table of Markdown."""
    head, *body = ("| " + " | ".join(it.replace("|", "\\|") for it in row) + " |" for row in rows)
    return "\n".join([head, "|---|" + ("---:|" if figures else "---|") * (len(rows[0]) - 1), *body])


Part = str | list[list[str]]
"""Of a report: a sentence, or a table whose first row has the heads."""


def as_text(parts: Sequence[Part]) -> str:
    """A report for a terminal."""
    return "\n\n".join(it if isinstance(it, str) else table(it, figures=True) for it in parts)


def as_markdown(title: str, parts: Sequence[Part]) -> str:
    """A report as a page of Markdown."""
    return "\n\n".join([f"# {title}", *(it if isinstance(it, str) else markdown_table(it) for it in parts)])


def number(value: float | None, spec: str = ".4f") -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None or value != value else format(value, spec)


def interval(low: float, high: float, spec: str = ".4f") -> str:
    """Both ends, or a dash where there is none."""
    return f"{low:{spec}} to {high:{spec}}" if low == low else "-"


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # What is written to stdout meanwhile is a result, which must not end up on stderr.
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)


def _counting_lines(total: int, what: str) -> Callable[[int], None]:
    start = told = monotonic()
    so_far = 0

    def done(count: int) -> None:
        nonlocal so_far, told
        so_far += count
        if (now := monotonic()) - told >= LINE_SECONDS:
            told = now
            _tell(f"{so_far:,} of {total:,} {what} ({so_far / (now - start):,.0f}/s)")

    return done


def _stage_lines(names: Sequence[str]) -> Callable[[str], None]:
    start = monotonic()
    return lambda stage: _tell(f"[{names.index(stage) + 1}/{len(names)}] {stage} ({monotonic() - start:.1f} s)")


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _aligned(rows: Sequence[Sequence[str]], figures: bool) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if figures and column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _drawn(rows: Sequence[Sequence[str]], figures: bool) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    head, *body = rows
    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column, name in enumerate(head):
        drawn.add_column(Text(name), justify="right" if figures and column else "left")
    for row in body:
        drawn.add_row(*map(Text, row))
    console = Console()
    with console.capture() as captured:
        console.print(drawn)
    return captured.get().rstrip("\n")
