"""README and docs/ name what exists, all that exists is in them, and every link leads somewhere."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel

from app.cli.main import credit
from app.metrics import Metrics
from app.metrics.bins import BinCounts
from app.policy_file import load_policy
from app.settings import ROOT, WELL_KNOWN, Settings
from tests.support.fakes import Api
from tests.unit.test_layers import LAYERS

MAKEFILES = (ROOT / "Makefile").read_text() + (ROOT / "cluster.mk").read_text()

NOT_IN_PAGES = {"help"}
"""Targets that nobody has to be told of."""

MOST_README_LINES = 150

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
}
README = PAGES["README.md"]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
NAMES_A_PATH = re.compile(
    r"`((?:charts|k8s|app|configs|tests|monitoring|scripts|loadtests|docs|\.github|\.ci)/[\w./-]*)`"
)
LINK = re.compile(r"\]\(([^()\s]+)\)")


def prose(text: str) -> str:
    """Without what stands in fences."""
    return FENCE.sub("", text)


def code_of(text: str) -> list[str]:
    """What stands in fences or backquotes."""
    return FENCE.findall(text) + re.findall(r"`[^`\n]+`", prose(text))


def section(page: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return PAGES[page].split(f"\n## {heading}\n")[1].split("\n## ")[0]


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without their backquotes."""
    rows = [line.strip("|").split(" | ") for line in section(page, heading).splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row] for row in rows]


def targets() -> set[str]:
    """The targets that `make help` lists."""
    return set(re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILES, re.MULTILINE))


def targets_named(texts: list[str]) -> set[str]:
    return set(re.findall(r"\bmake ([a-z][a-z0-9-]*)", "\n".join(texts)))


def settings_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The path of every setting, and what it is."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_of(field.annotation, (*path, name))
        else:
            yield (*path, name), field.description or ""


def variable_of(path: tuple[str, ...]) -> str:
    return next((name for name, target in WELL_KNOWN.items() if target == path), "__".join(path).upper())


def metrics() -> dict[str, tuple[str, str]]:
    """Type and labels of each metric, by the name that /metrics shows."""
    found = {}
    for it in vars(Metrics(0.05)).values():
        # The library tells labels only beside values, which most metrics have none of at the start.
        if isinstance(it, BinCounts):
            (family,) = it.collect()
            assert isinstance(family, CounterMetricFamily)
            labels = family._labelnames
        elif isinstance(it, MetricWrapperBase):
            (family,) = it.describe()
            labels = it._labelnames
        else:
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, ", ".join(labels) or "-")
    return found


def anchors(text: str) -> set[str]:
    """Of a page's headings, as GitHub makes them: a number follows a heading that was there before."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def links() -> list[tuple[str, str]]:
    """(page, target) of every link and picture that leads nowhere outside of the repository."""
    found = [(page, target) for page, text in PAGES.items() for target in LINK.findall(prose(text))]
    return [(page, target) for page, target in found if not target.startswith("https://")]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= MOST_README_LINES


def test_the_readme_leads_to_every_page() -> None:
    linked = {(ROOT / target.partition("#")[0]).resolve() for page, target in links() if page == "README.md"}
    pages = {ROOT / page for page in PAGES} - {ROOT / "README.md", *DECISIONS}
    assert pages - linked == set()


@pytest.mark.parametrize(("page", "target"), links())
def test_every_link_leads_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (ROOT / page).parent / path if path else ROOT / page
    assert found.resolve().is_relative_to(ROOT)
    assert found.exists()
    if anchor:
        assert anchor in anchors(found.read_text())


@pytest.mark.parametrize(
    ("page", "path"), [(page, path) for page, text in PAGES.items() for path in NAMES_A_PATH.findall(prose(text))]
)
def test_every_path_exists(page: str, path: str) -> None:
    assert (ROOT / path).exists()


def test_every_make_target_that_is_named_exists() -> None:
    assert targets_named([code for text in PAGES.values() for code in code_of(text)]) - targets() == set()


def test_every_make_target_is_named() -> None:
    assert targets() - NOT_IN_PAGES - targets_named(list(PAGES.values())) == set()


def test_the_routes_of_the_readme_are_the_apis() -> None:
    named = set(re.findall(r"^\* `(GET|POST) (/[a-z/.{}]*)`", section("README.md", "API"), re.MULTILINE))
    documented = {
        (method.upper(), path) for path, operations in Api().app.openapi()["paths"].items() for method in operations
    }
    assert named == documented | {("GET", "/docs"), ("GET", "/openapi.json")}


def test_the_settings_are_in_the_table() -> None:
    named = {row[0]: (row[1], row[3]) for row in table("docs/configuration.md", "Settings")}
    assert named == {".".join(path): (variable_of(path), what) for path, what in settings_of(Settings)}


def test_the_metrics_are_in_the_table() -> None:
    assert {row[0]: (row[1], row[2]) for row in table("docs/metrics.md", "Metrics")} == metrics()


def dotted_names() -> Iterator[tuple[str, str]]:
    """(page, name) of what looks like a setting or a value of charts/api, by its first part."""
    first = {path[0] for path, _ in settings_of(Settings)} | values("api").keys()
    for page, text in PAGES.items():
        for name in re.findall(r"`([a-zA-Z_]+(?:\.[a-zA-Z_]+)+)`", prose(text)):
            if name.partition(".")[0] in first and not (ROOT / name).exists():
                yield page, name


def values(chart: str) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load((ROOT / "charts" / chart / "values.yaml").read_text())
    return loaded


@pytest.mark.parametrize(("page", "name"), list(dotted_names()))
def test_every_setting_or_value_that_is_named_exists(page: str, name: str) -> None:
    settings = {".".join(path[:length]) for path, _ in settings_of(Settings) for length in range(1, len(path) + 1)}
    found: object = values("api")
    for part in name.split("."):
        found = found.get(part, KeyError) if isinstance(found, dict) else KeyError
    assert name in settings or found is not KeyError


def test_the_policy_version_of_the_readme_is_that_of_the_shipped_policy() -> None:
    assert f'"policy_version": "{load_policy(Settings()).version}"' in README


def test_the_layers_of_the_architecture_are_those_that_the_imports_are_held_to() -> None:
    (drawn,) = FENCE.findall(section("docs/architecture.md", "Layers"))
    layers = [set(line.split(" | ")) for line in drawn.splitlines()[1:-1]]
    assert layers == LAYERS[::-1]


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [path.name[:5] for path in DECISIONS] == [f"{number:04d}-" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_number_its_three_parts_and_its_line_in_the_index(path: Path) -> None:
    headings = re.findall(r"^#+ .+$", path.read_text(), re.MULTILINE)
    title = re.fullmatch(rf"# {int(path.name[:4])}\. (.+)", headings[0])
    assert title
    assert headings[1:] == ["## Context", "## Decision", "## Consequences"]
    assert f"| {int(path.name[:4])} | [{title[1]}]({path.name}) |" in PAGES["docs/decisions/README.md"].splitlines()


def test_a_word_of_the_glossary_is_explained_once() -> None:
    words = re.findall(r"^### (.+)$", PAGES["docs/glossary.md"], re.MULTILINE)
    assert words
    assert [word for word, count in Counter(words).items() if count > 1] == []


def commands() -> Iterator[tuple[str, str]]:
    """(page, line) of every use of `credit` in code, without what a shell keeps for itself."""
    for page, text in PAGES.items():
        for line in "\n".join(code_of(text)).replace("`", "\n").splitlines():
            if match := re.match(r"\s*(credit(?= |$)[^|>]*)", re.split(r"\s#\s", line)[0]):
                yield page, match[1].strip()


@pytest.mark.parametrize(("page", "line"), list(commands()))
def test_every_command_that_is_named_exists(page: str, line: str) -> None:
    command, words = typer.main.get_command(credit), shlex.split(line)[1:]
    while words and re.fullmatch("[a-z]+", words[0]) and (known := getattr(command, "commands", None)) is not None:
        assert words[0] in known
        command = known[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} - options == set()


def test_every_command_is_named() -> None:
    def walk(command: Any, path: str) -> Iterator[str]:
        below = getattr(command, "commands", {})
        yield from [path] if not below else (it for name in below for it in walk(below[name], f"{path} {name}"))

    text = "\n".join(line for _, line in commands())
    assert [it for it in walk(typer.main.get_command(credit), "credit") if it not in text] == []
