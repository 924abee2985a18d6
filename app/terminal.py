"""Says how far a long command is: a bar on a terminal, a line every few seconds elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

LINE_SECONDS = 5.0


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """The function to call with how many more are done. Writes to stderr, so that stdout holds only results."""
    with _bar(total, what) if sys.stderr.isatty() else _lines(total, what) as done:
        yield done


@contextmanager
def _bar(total: int, what: str) -> Iterator[Callable[[int], None]]:
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        # It comes with what training needs, which an image may do without.
        with _lines(total, what) as done:
            yield done
        return
    with tqdm(total=total, unit=f" {what}", unit_scale=True, leave=False) as bar:

        def done(count: int) -> None:
            bar.update(count)

        yield done


@contextmanager
def _lines(total: int, what: str) -> Iterator[Callable[[int], None]]:
    start = told = monotonic()
    so_far = 0

    def done(count: int) -> None:
        nonlocal so_far, told
        so_far += count
        if (now := monotonic()) - told >= LINE_SECONDS:
            told = now
            sys.stderr.write(f"{so_far:,} of {total:,} {what} ({so_far / (now - start):,.0f}/s)\n")
            sys.stderr.flush()

    yield done
