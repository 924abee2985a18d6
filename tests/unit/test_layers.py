"""Imports point one way, and the guarded packages have one importer each."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import ROOT

LAYERS = [
    {"errors", "features", "yaml_file", "times", "ids", "terminal"},
    {"settings"},
    {"scoring"},
    {"policy_file", "metrics"},
    {"models"},
    {"registry"},
    {"callers", "audit"},
    {"serving", "training"},
    {"promotion", "batch"},
]
"""From the ground up: a module imports from its own name or from below."""

PROGRAMS = {"app/registry/__main__.py": "promotion"}
"""The commands of people go by the registry's name. What is imported by nobody may stand on any layer."""

ONLY_IMPORTER = {"mlflow": "registry", "sqlalchemy": "audit", "alembic": "audit", "psycopg2": "audit"}
NOT_AT_IMPORT_TIME = {
    "mlflow",
    "sklearn",
    "skops",
    "numpy",
    "scipy",
    "pandas",
    "pandera",
    "matplotlib",
    "pyarrow",
    "boto3",
    "sqlalchemy",
    "alembic",
    "psycopg2",
    "joblib",
    "threadpoolctl",
    "lightgbm",
    "xgboost",
    "catboost",
}
MODULES = sorted((ROOT / "app").rglob("*.py"))


def area(path: Path) -> str:
    """The first name below app: settings for app/settings.py, scoring for app/scoring/model.py."""
    if ids(path) in PROGRAMS:
        return PROGRAMS[ids(path)]
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
            assert not name.endswith("__main__"), f"{ids(path)} imports a program"


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


@pytest.mark.parametrize("path", reached_by_serving(), ids=ids)
def test_what_serving_loads_imports_nothing_heavy_with_itself(path: Path) -> None:
    for name in at_import_time(path):
        assert name.split(".")[0] not in NOT_AT_IMPORT_TIME, f"{ids(path)} imports {name} at its top"
