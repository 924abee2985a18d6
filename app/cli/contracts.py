"""`credit contract`: what an application is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.results import AsJson, finish

commands = typer.Typer(
    help="Check and draft the contract of fields and factors.", no_args_is_help=True, rich_markup_mode=None
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A contract without a fault."""

    file: str
    version: str
    fields: list[str]
    factors: list[str]

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "version": self.version, "fields": self.fields, "factors": self.factors}

    def __str__(self) -> str:
        lines = [f"{self.file}: contract {self.version}, {len(self.fields)} fields, {len(self.factors)} factors"]
        return "\n".join([*lines, *(f"  {factor}" for factor in self.factors)])


@commands.command(
    epilog="""\b
Examples:
  credit contract check
  credit contract check examples/german-credit/contract.yaml --policy examples/german-credit/policy.yaml"""
)
def check(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A contract; else that of the settings.")] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A policy that has to have words for its factors.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with a contract, with lines and remedies."""
    from app.contract_file import read_contract
    from app.policy_file import load_policy
    from app.settings import ContractSettings, DecisionSettings, Settings, load_settings

    settings = load_settings()
    path = file or settings.contract.file
    contract = read_contract(path)
    if policy is not None:
        load_policy(Settings(contract=ContractSettings(file=path), decision=DecisionSettings(policy_file=policy)))
    factors = [f"{it.name}: {it.expression}; risk {it.risk}" for it in contract.factors]
    finish(Checked(str(path), contract.version, list(contract.asked_names), factors), as_json)


@commands.command(
    epilog="""\b
Example:
  credit contract init applicants.csv --outcome defaulted > contract.yaml"""
)
def init(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A table of applicants.")],
    outcome: Annotated[str, typer.Option(metavar="COLUMN", help="Which column says how it ended.")] = "",
    bad: Annotated[str, typer.Option(metavar="VALUE", help="What stands there for who defaulted.")] = "",
    as_json: AsJson = False,
) -> None:
    """Draft a contract from a table, for a person to finish."""
    from app.contract.drafting import draft

    finish(draft(file, outcome, bad), as_json)
