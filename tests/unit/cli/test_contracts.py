"""`credit contract` on the command line."""

import json
from pathlib import Path

import pytest

from app.cli.main import main
from harness.fields import CONTRACT


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main(["contract", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_shipped_contract_and_policy_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", "--policy", "configs/policy.yaml", "--json")
    assert code == 0
    assert json.loads(out)["version"] == CONTRACT.version
    assert "utilisation" in run(capsys, "check")[1]


def test_a_mistake_is_told_with_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    lines = Path("configs/contract.yaml").read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if line.strip() == "expression: DebtRatio")
    lines[at - 1] = "    expression: DebtRatios"
    path.write_text("\n".join(lines))
    code, _, err = run(capsys, "check", str(path))
    assert code == 2
    assert "factor debt_ratio: 'DebtRatios' is no field" in err
    assert f"(line {at})" in err


def test_a_draft_is_a_contract(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "applicants.csv"
    table.write_text("years,defaulted\n30,0\n40,1\n50,0\n30,0\n")
    code, out, _ = run(capsys, "init", str(table), "--outcome", "defaulted")
    assert code == 0
    (tmp_path / "contract.yaml").write_text(out)
    assert run(capsys, "check", str(tmp_path / "contract.yaml"))[0] == 0
