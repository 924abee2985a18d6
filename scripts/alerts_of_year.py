"""Tell which alerts on models fire as the outcomes of a year come in: `python -m scripts.alerts_of_year`.

For the record that the settings name, after `scripts.simulate_year` and `credit outcomes load`. At the end of each
month in which outcomes were observed the report is made with those that were known by then, its gauges are what
Prometheus would have scraped, and promtool asks the rules of monitoring/rules themselves.
"""

import subprocess
import tempfile
from collections.abc import Iterator

import yaml

from app.audit.store.database import open_engine
from app.audit.store.outcome_rows import outcomes
from app.audit.store.repository import Store
from app.audit.store.review_rows import reviews
from app.console.outcome_metrics import families
from app.contract.contract import Contract
from app.contract_file import load_contract
from app.reports.decided import read_decisions
from app.reports.outcome_tables import OutcomeReport
from app.reports.performance import outcome_report
from app.settings import ROOT, load_settings
from app.times import utc
from scripts.tools import find

RULES = ROOT / "monitoring" / "rules" / "outcomes.yaml"
ALERTS = ("CreditModelMiscalibrated", "CreditModelRanksWorse")
DAYS = 30
"""Of each month, as the rules see them."""
LABELS = 'namespace="credit", job="api-console"'


def main() -> None:
    settings = load_settings()
    months = [*reports(Store(open_engine(settings.audit.database_uri)), load_contract(settings))]
    series = gauges([report for _, report in months])
    print(f"{'outcomes until':<16}{'of decisions':<22}" + "".join(f"{it:<28}" for it in ALERTS))  # noqa: T201 - its output
    for number, (month, report) in enumerate(months):
        seen = report.watched[-1]
        told = "".join(f"{'FIRES' if fires(alert, number, series) else 'silent':<28}" for alert in ALERTS)
        print(f"{month:<16}{f'{seen.first} to {seen.last}':<22}{told}".rstrip())  # noqa: T201 - its output


def reports(store: Store, contract: Contract) -> Iterator[tuple[str, OutcomeReport]]:
    """Month by month, of what was known at its end."""
    known, by_people = outcomes(store), reviews(store)
    for month in sorted({it.observed[:7] for it in known.values()}):
        by_then = {key: it for key, it in known.items() if it.observed[:7] <= month}
        decisions = read_decisions(store.decisions(None, None), store, by_people, lambda _: None)
        yield month, outcome_report(decisions, by_then, store, contract)


def gauges(made: list[OutcomeReport]) -> dict[str, list[float | None]]:
    """By series, its value in each month; None where it has none."""
    found: dict[str, list[float | None]] = {}
    for number, report in enumerate(made):
        for family in families(utc(0), report):
            for sample in family.samples:
                version = sample.labels.get("model_version")
                labels = LABELS if version is None else f'{LABELS}, model_version="{version}"'
                values = found.setdefault(f"{sample.name}{{{labels}}}", [None] * len(made))
                values[number] = None if sample.value != sample.value else sample.value
    return found


def fires(alert: str, month: int, series: dict[str, list[float | None]]) -> bool:
    """Whether an alert does at the end of that month."""
    inputs = [{"series": name, "values": " ".join(_held(value) for value in values)} for name, values in series.items()]
    asked = {
        "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})',
        "eval_time": f"{(month + 1) * DAYS - 1}d",
        "exp_samples": [],
    }
    test = {"interval": "1d", "input_series": inputs, "promql_expr_test": [asked]}
    document = {"rule_files": [str(RULES)], "evaluation_interval": "1d", "tests": [test]}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(document, file)
        file.flush()
        ended = subprocess.run(
            [find("promtool") or "promtool", "test", "rules", file.name], capture_output=True, text=True, check=False
        )
    # It fails where the sample is there that nobody expects.
    silent = ended.returncode == 0
    if not silent and "got:" not in ended.stdout + ended.stderr:
        raise SystemExit(ended.stdout + ended.stderr)
    return not silent


def _held(value: float | None) -> str:
    """A value for every day of a month."""
    return " ".join(["_"] * DAYS) if value is None else f"{value!r}x{DAYS - 1}"


if __name__ == "__main__":
    main()
