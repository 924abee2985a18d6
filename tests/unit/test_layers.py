"""Imports point one way, and the guarded packages have one importer each."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from app.settings import ROOT
from harness.fields import CONTRACT

LAYERS = [
    {"errors", "extras", "yaml_file", "times", "terminal", "user"},
    {"settings", "ids", "exits", "contract"},
    {"scoring", "tables", "processes"},
    {"contract_file", "metrics"},
    {"policy_file"},
    {"models"},
    {"registry"},
    {"callers", "audit"},
    {"outcomes"},
    {"serving", "training"},
    {"promotion", "batch", "reports", "letters", "reviews"},
    {"console"},
    {"cli"},
]
"""From the ground up: a module imports from its own name or from below."""

ONLY_IMPORTER = {"mlflow": "registry", "sqlalchemy": "audit", "alembic": "audit", "psycopg2": "audit"}
NOT_AT_IMPORT_TIME = {
    "mlflow",
    "sklearn",
    "skops",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "pyarrow",
    "boto3",
    "sqlalchemy",
    "alembic",
    "psycopg2",
    "typer",
    "rich",
    "joblib",
    "threadpoolctl",
    "lightgbm",
    "xgboost",
    "catboost",
    "fpdf",
    "jinja2",
}

MODULES = sorted((ROOT / "app").rglob("*.py"))


def area(path: Path) -> str:
    """The first name below app: settings for app/settings.py, scoring for app/scoring/model.py."""
    return path.relative_to(ROOT / "app").with_suffix("").parts[0]


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything imported anywhere in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def level(name: str) -> int:
    return next(index for index, layer in enumerate(LAYERS) if name in layer)


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [p for p in MODULES if p != ROOT / "app" / "__init__.py"], ids=ids)
def test_imports_only_from_its_own_name_or_from_layers_below(path: Path) -> None:
    own = area(path)
    for name in imported(ast.parse(path.read_text())):
        if name.startswith("app."):
            other = name.split(".")[1]
            assert other == own or level(other) < level(own), f"{ids(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_each_guarded_package_has_one_importer(path: Path) -> None:
    for name in imported(ast.parse(path.read_text())):
        top = name.split(".")[0]
        assert ONLY_IMPORTER.get(top, area(path)) == area(path), f"{ids(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_the_environment_has_one_reader(path: Path) -> None:
    source = path.read_text()
    assert area(path) == "settings" or ("os.environ" not in source and "getenv" not in source)


def at_import_time(path: Path) -> Iterator[str]:
    """Dotted names of what a module imports as soon as it is imported itself."""
    for node in ast.parse(path.read_text()).body:
        yield from imported(node) if isinstance(node, ast.Import | ast.ImportFrom) else ()


def reached_by_serving() -> list[Path]:
    """The modules that are loaded in the process that answers requests before it answers one."""
    waiting = [path for path in MODULES if area(path) == "serving"]
    reached = set(waiting)
    while waiting:
        for name in at_import_time(waiting.pop()):
            for path in (ROOT / f"{name.replace('.', '/')}{end}" for end in (".py", "/__init__.py")):
                if name.startswith("app.") and path.exists() and path not in reached:
                    reached.add(path)
                    waiting.append(path)
    return sorted(reached)


def test_nothing_is_a_program_but_credit() -> None:
    assert [ids(path) for path in MODULES if path.name == "__main__.py" or "if __name__" in path.read_text()] == []


def test_the_command_line_loads_little_before_it_knows_the_command() -> None:
    program = "import sys, app.cli.main; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    loaded = {name.split(".")[0] for name in told.split()}
    assert "typer" in loaded
    assert loaded & ((NOT_AT_IMPORT_TIME - {"typer"}) | {"pydantic", "yaml", "uvicorn", "fastapi"}) == set()


@pytest.mark.parametrize("path", reached_by_serving(), ids=ids)
def test_what_serving_loads_imports_nothing_heavy_with_itself(path: Path) -> None:
    for name in at_import_time(path):
        assert name.split(".")[0] not in NOT_AT_IMPORT_TIME, f"{ids(path)} imports {name} at its top"


def modules_imported(path: Path) -> set[Path]:
    """The modules of app that one names in any of its imports, those for types alone included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    files = {ROOT / f"{name.replace('.', '/')}{end}" for name in names for end in (".py", "/__init__.py")}
    return files.intersection(MODULES) - {path}


def test_no_module_imports_itself_by_way_of_others() -> None:
    tuple(TopologicalSorter({path: modules_imported(path) for path in MODULES}).static_order())


def twice(names: Iterator[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def test_no_two_modules_have_one_name() -> None:
    assert twice(path.stem for path in MODULES if path.stem != "__init__") == set()


def test_no_two_classes_have_one_name() -> None:
    nodes = (node for path in MODULES for node in ast.walk(ast.parse(path.read_text())))
    assert twice(node.name for node in nodes if isinstance(node, ast.ClassDef)) == set()


def test_no_module_names_a_field_of_a_contract() -> None:
    """What a table's columns are called is the contract's business alone."""
    names = {*CONTRACT.asked_names, CONTRACT.outcome.name, *CONTRACT.factor_names}
    for path in MODULES:
        constants = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
        words = {word for text in constants if isinstance(text, str) for word in re.findall(r"[\w-]{12,}", text)}
        assert not words & names, path
