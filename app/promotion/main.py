"""The commands of people: list, promote, adopt, rollback and compare."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from app.errors import CreditError
from app.settings import Settings, load_settings

DONE, REFUSED, FAILED = 0, 1, 2


class Result(Protocol):
    """What a command found: `str` for a terminal."""

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Rollback:
    """An alias that was moved back."""

    alias: str
    left: str
    version: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.alias} names version {self.version} again; it named version {self.left}"


def main(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code: 0 done, 1 the gate refused, 2 it could not be done."""
    options = _parser().parse_args(arguments)
    try:
        result = _run(options, load_settings())
    except CreditError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except ModuleNotFoundError as error:
        sys.stderr.write(f"error: {options.command} needs what training needs, and {error.name} is not installed\n")
        return FAILED
    text = json.dumps(_without_nan(result.to_json()), indent=2) if options.json else str(result)
    sys.stdout.write(f"{text}\n")
    return DONE if getattr(result, "passed", True) else REFUSED


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="for programs")
    parser = argparse.ArgumentParser(prog="python -m app.registry", description="The model registry, by hand.")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, what: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=what, description=what, parents=[shared])

    listed = add("list", "versions, aliases, verdicts of the gate, figures, and the pods that serve them")
    listed.add_argument("--context", help="of the kubeconfig; its current one when not given")
    listed.add_argument("--namespace", default="credit", help="of the pods (default: %(default)s)")
    promoted = add("promote", "judge a version on the held-out rows of DATA, and let an alias name it if it passes")
    promoted.add_argument("version")
    adopted = add("adopt", "judge a version that was trained anywhere, and write verdict and document for servers")
    adopted.add_argument("version")
    rolled_back = add("rollback", "let an alias name the version that it named before")
    for command in (promoted, rolled_back):
        command.add_argument("--alias", choices=["production", "challenger"], default="production")
    compared = add("compare", "two versions or aliases on the held-out rows of DATA, and who changes sides")
    compared.add_argument("first")
    compared.add_argument("second")
    commands.add_parser("pull", help="of the server: bring a model into the cache and print its folder")
    return parser


def _run(options: argparse.Namespace, settings: Settings) -> Result:
    # Imported where they are used: the API's image has what list and rollback need, not what judging needs.
    if options.command == "list":
        from app.promotion.listing import listing

        return listing(settings, options.context, options.namespace)
    if options.command == "promote":
        from app.promotion.judging import promote

        return promote(options.version, options.alias, settings)
    if options.command == "adopt":
        from app.promotion.adopting import adopt

        return adopt(options.version, settings)
    if options.command == "compare":
        from app.promotion.comparing import compare

        return compare(options.first, options.second, settings)
    from app.registry.aliases import roll_back

    return Rollback(options.alias, *roll_back(options.alias, settings))


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: what could not be measured is null."""
    if isinstance(value, dict):
        return {key: _without_nan(it) for key, it in value.items()}
    if isinstance(value, list):
        return [_without_nan(it) for it in value]
    return None if isinstance(value, float) and value != value else value
