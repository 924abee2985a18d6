"""How far a training is, on a terminal and elsewhere."""

import io

import pytest

from app.training.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_every_stage_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(["fit", "judge"]) as stage:
        stage("fit")
        stage("judge")
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.rpartition(" (")[0] for line in err.splitlines()] == ["[1/2] fit", "[2/2] judge"]


def test_on_a_terminal_a_bar_names_the_stage_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress(["fit", "judge"]) as stage:
        stage("fit")
        stage("judge")
        assert "1/2" in terminal.getvalue().rsplit("\r", 1)[-1]
        assert "judge" in terminal.getvalue()
    assert "\n" not in terminal.getvalue()
