"""A tag is released only when the version is the same wherever it stands, and the changelog tells of it."""

from pathlib import Path

import pytest

from app import __version__
from app.settings import ROOT
from scripts.check_release import problems

CHART = "version: 1.2.3\nappVersion: 1.2.3\n"
VALUES = "image:\n  repository: credit-default-api\n  tag: ''\n"
CHANGELOG = "# Changelog\n\n## [1.2.3] - 2026-01-31\n"


def repository(root: Path, chart: str = CHART, values: str = VALUES, changelog: str = CHANGELOG) -> Path:
    folder = root / "charts" / "api"
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text(chart)
    (folder / "values.yaml").write_text(values)
    (root / "CHANGELOG.md").write_text(changelog)
    return root


def found(root: Path, tag: str = "v1.2.3") -> list[str]:
    return list(problems(tag, root, "1.2.3"))


def test_a_tag_of_the_version_may_be_released(tmp_path: Path) -> None:
    assert found(repository(tmp_path)) == []


@pytest.mark.parametrize("tag", ["v1.2.4", "1.2.3", "v1.2.3-rc1", ""])
def test_a_tag_of_another_version_may_not(tmp_path: Path, tag: str) -> None:
    (problem,) = found(repository(tmp_path), tag)
    assert problem == f"the tag is {tag}, and app/__init__.py has the version 1.2.3: v1.2.3 is its tag"


@pytest.mark.parametrize("field", ["version", "appVersion"])
def test_a_chart_of_another_version_is_named(tmp_path: Path, field: str) -> None:
    root = repository(tmp_path, chart=CHART.replace(f"{field}: 1.2.3", f"{field}: 1.2.2"))
    assert found(root) == [f"charts/api/Chart.yaml: {field} is 1.2.2, not 1.2.3"]


def test_the_version_of_a_foreign_program_in_a_chart_is_its_own(tmp_path: Path) -> None:
    root = repository(tmp_path, "version: 1.2.3\nappVersion: '17'\n", "image:\n  repository: postgres\n  tag: ''\n")
    assert found(root) == []


def test_an_image_of_ours_with_another_tag_is_named(tmp_path: Path) -> None:
    root = repository(tmp_path, values="setup:\n  image:\n    repository: credit-default-mlflow\n    tag: 1.2.2\n")
    assert found(root) == ["charts/api/values.yaml: an image of this project has the tag 1.2.2, not 1.2.3"]


@pytest.mark.parametrize("heading", ["## [Unreleased]", "## [1.2.3]", "## [1.2.30] - 2026-01-31"])
def test_a_changelog_without_the_version_and_its_date_is_named(tmp_path: Path, heading: str) -> None:
    root = repository(tmp_path, changelog=f"# Changelog\n\n{heading}\n")
    assert found(root) == ["CHANGELOG.md has no section '## [1.2.3] - YYYY-MM-DD'"]


def test_the_version_of_this_repository_is_the_same_everywhere() -> None:
    assert [it for it in problems(f"v{__version__}", ROOT) if not it.startswith("CHANGELOG.md")] == []
