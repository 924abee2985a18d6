"""Says how far a long command is: a bar on a terminal, a line a stage elsewhere."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic


@contextmanager
def progress(stages: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """The function to call as each of the stages begins. Writes to stderr, so that stdout holds only results."""
    with _bar(len(stages)) if sys.stderr.isatty() else _lines(stages) as begin:
        yield begin


@contextmanager
def _bar(count: int) -> Iterator[Callable[[str], None]]:
    from tqdm import tqdm

    with tqdm(total=count, bar_format="{desc:<32} {bar} {n_fmt}/{total_fmt} {elapsed}", leave=False) as bar:
        begun = False

        def begin(stage: str) -> None:
            nonlocal begun
            bar.update(int(begun))
            bar.set_description_str(stage)
            begun = True

        yield begin


@contextmanager
def _lines(stages: Sequence[str]) -> Iterator[Callable[[str], None]]:
    start = monotonic()

    def begin(stage: str) -> None:
        sys.stderr.write(f"[{stages.index(stage) + 1}/{len(stages)}] {stage} ({monotonic() - start:.1f} s)\n")
        sys.stderr.flush()

    yield begin
