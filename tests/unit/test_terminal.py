"""How far a command is and what it found, on a terminal and elsewhere."""

import io
from math import nan

import pytest

from app import terminal
from app.terminal import number, progress, stages, table

ROWS = [["", "old", "new [2]"], ["ROC AUC", "0.8601", "0.9"], ["approved", "73.14%", "-"]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """One in place of stderr and stdout. No fixture, after which pytest would put its own capture there."""
    seen = Terminal()
    monkeypatch.setattr("sys.stderr", seen)
    monkeypatch.setattr("sys.stdout", seen)
    monkeypatch.setenv("TERM", "xterm")
    return seen


def test_elsewhere_every_stage_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with stages(["fit", "judge"]) as stage:
        stage("fit")
        stage("judge")
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.rpartition(" (")[0] for line in err.splitlines()] == ["[1/2] fit", "[2/2] judge"]


def test_on_a_terminal_a_bar_names_the_stage_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = terminal_of(monkeypatch)
    with stages(["fit", "judge"]) as stage:
        stage("fit")
        stage("judge")
        last = shown.getvalue().rsplit("\r", 1)[-1]
        assert "judge" in last
        assert "1/2" in last
    # One line down, back up, and away with what stands there.
    assert shown.getvalue().count("\n") == 1
    assert shown.getvalue().endswith("\x1b[1A\x1b[2K")


def test_elsewhere_a_count_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 4.0, 6.0, 7.0, 12.0])
    monkeypatch.setattr(terminal, "monotonic", lambda: next(now))
    with progress(4000, "decisions") as done:
        for _ in range(4):
            done(1000)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "2,000 of 4,000 decisions (333/s)\n4,000 of 4,000 decisions (333/s)\n"


def test_on_a_terminal_a_count_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = terminal_of(monkeypatch)
    with progress(4, "decisions") as done:
        for _ in range(4):
            done(1)
    assert "decisions" in shown.getvalue()
    assert "4/4" in shown.getvalue()


def test_a_result_written_beside_a_bar_stays_on_stdout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Terminal()
    monkeypatch.setattr("sys.stderr", seen)
    monkeypatch.setenv("TERM", "xterm")
    with progress(4, "decisions") as done:
        done(1)
        print("a result")  # noqa: T201 - what is tested
    assert capsys.readouterr().out == "a result\n"
    assert "a result" not in seen.getvalue()


def test_elsewhere_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table([["a", "bc"], ["long", ""]]) == "a     bc\nlong"
    assert table(ROWS, figures=True).splitlines() == [
        "             old  new [2]",
        "ROC AUC   0.8601      0.9",
        "approved  73.14%        -",
    ]


def test_on_a_terminal_a_table_is_drawn_with_its_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_of(monkeypatch)
    head, rule, *rows = table(ROWS, figures=True).splitlines()
    assert "new [2]" in head
    assert "─" in rule
    assert [row.split() for row in rows] == [["ROC", "AUC", "0.8601", "0.9"], ["approved", "73.14%", "-"]]


@pytest.mark.parametrize(("value", "shown"), [(0.86254, "0.8625"), (None, "-"), (nan, "-")])
def test_a_figure_that_is_not_there_is_a_dash(value: float | None, shown: str) -> None:
    assert number(value) == shown
