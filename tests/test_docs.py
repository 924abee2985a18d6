"""The README names what exists, and all that exists is in the README."""

import re
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from app.metrics import Metrics
from app.policy_file import load_policy
from app.settings import ROOT, WELL_KNOWN, Settings
from tests.support.fakes import Api

README = (ROOT / "README.md").read_text()
MAKEFILES = (ROOT / "Makefile").read_text() + (ROOT / "cluster.mk").read_text()

NOT_IN_README = {"help", "check", "fix", "lock", "tools", "clean", "images", "install", "commands", "version"}
"""Targets for people who change the code, who have `make help`."""


def targets() -> set[str]:
    """The targets that `make help` lists."""
    return set(re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILES, re.MULTILINE))


def settings_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every setting."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_of(field.annotation, (*path, name))
        else:
            yield (*path, name)


def variable_of(path: tuple[str, ...]) -> str:
    return next((name for name, target in WELL_KNOWN.items() if target == path), "__".join(path).upper())


def metric_names() -> set[str]:
    """Names as /metrics shows them."""
    families = Metrics(0.05).registry.collect()
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in families}


def table(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without their backquotes."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row] for row in rows]


def test_every_make_target_of_the_readme_exists() -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z0-9-]*)", "\n".join(code_of(README))))
    assert named - targets() == set()


def test_every_make_target_is_in_the_readme() -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z0-9-]*)", README))
    assert targets() - NOT_IN_README - named == set()


def code_of(text: str) -> list[str]:
    """What stands in fences or backquotes."""
    return re.findall(r"```.*?```|`[^`]+`", text, re.DOTALL)


def test_the_routes_of_the_readme_are_the_apis() -> None:
    section = README.split("## API\n")[1].split("\n## ")[0]
    named = set(re.findall(r"^\* `(GET|POST) (/[a-z/.{}]*)`", section, re.MULTILINE))
    documented = {
        (method.upper(), path) for path, operations in Api().app.openapi()["paths"].items() for method in operations
    }
    assert named == documented | {("GET", "/docs"), ("GET", "/openapi.json")}


def test_the_settings_of_the_readme_are_the_settings() -> None:
    named = {row[0]: row[1] for row in table("Settings")}
    assert named == {".".join(path): variable_of(path) for path in settings_of(Settings)}


def test_the_metrics_of_the_readme_are_the_metrics() -> None:
    ours = {row[0] for row in table("Metrics")}
    assert ours == metric_names()


def test_the_policy_version_of_the_readme_is_that_of_the_shipped_policy() -> None:
    assert f'"policy_version": "{load_policy(Settings()).version}"' in README


@pytest.mark.parametrize("path", re.findall(r"`((?:charts|k8s|app|configs|tests|monitoring)/[\w./-]+)`", README))
def test_every_path_of_the_readme_exists(path: str) -> None:
    assert (ROOT / path).exists()
