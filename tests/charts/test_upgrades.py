"""Upgrades from older versions of a chart, and values that were taken away: nothing is left without a value."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.conftest import CHARTS, Object, chart_folder, objects_of, render, template_from
from tests.charts.variants import ALL, ci_values, values_of

RELEASED = sorted(path for path in (Path(__file__).parent / "released").iterdir() if path.is_dir())
"""Each version's values.yaml of every chart, which `helm upgrade --reuse-values` puts in place of the new one's."""


def without_passwords(objects: list[Object]) -> list[Object]:
    """A Secret by its keys, because passwords are random."""
    return [
        thing | {part: sorted(thing[part]) for part in ("data", "stringData") if part in thing}
        if thing["kind"] == "Secret"
        else thing
        for thing in objects
    ]


def with_values_file(chart: str, text: str, folder: Path) -> Path:
    """A copy of the chart with another values.yaml."""
    copy = folder / chart
    shutil.copytree(chart_folder(chart), copy)
    (copy / "values.yaml").write_text(text)
    return copy


@pytest.mark.parametrize("chart", ALL)
@pytest.mark.parametrize("version", RELEASED, ids=lambda path: path.name)
def test_the_values_of_a_released_version_are_enough(version: Path, chart: str, tmp_path: Path) -> None:
    older = with_values_file(chart, (version / f"{chart}.yaml").read_text(), tmp_path)
    for values in ("{}", *(path.read_text() for path in ci_values(chart))):
        assert objects_of(template_from(older, chart, values))


@pytest.mark.parametrize("chart", ALL)
def test_values_that_are_missing_are_the_charts_own(chart: str, tmp_path: Path) -> None:
    without = with_values_file(chart, "{}", tmp_path)
    assert without_passwords(objects_of(template_from(without, chart, "{}"))) == without_passwords(render(chart))


@pytest.mark.parametrize("chart", ALL)
def test_values_that_are_null_are_the_charts_own(chart: str) -> None:
    values = values_of(chart)
    # Upstream's chart has defaults of its own, which null takes away from it.
    values.pop("kube-prometheus-stack", None)
    expected = without_passwords(render(chart))
    # In the sections that ask for something here only what else there is.
    whole = values.keys() - {"auth", "grafanaAdmin", "signing", "target"}
    assert without_passwords(render(chart, dict.fromkeys(whole))) == expected
    sections: dict[str, Any] = {
        key: dict.fromkeys(value) for key, value in values.items() if isinstance(value, dict) and key not in WHOLE
    }
    assert without_passwords(render(chart, sections)) == expected


WHOLE = {"resources", "podSecurityContext", "containerSecurityContext"}
"""What is taken as it stands: null takes a limit or a user away there."""


def test_a_limit_can_be_taken_away() -> None:
    (server,) = [thing for thing in render("postgres", {"resources": {"limits": {"cpu": None}}}) if has_pods(thing)]
    assert server["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == {"memory": "512Mi"}


def has_pods(thing: Object) -> bool:
    return bool(thing["kind"] == "StatefulSet")


@pytest.mark.parametrize("chart", ALL)
def test_every_template_sees_the_values_with_what_is_missing(chart: str) -> None:
    first = re.compile(rf'{{{{- include "{chart}.values" \. -?}}}}\n')
    for path in (CHARTS / chart / "templates").rglob("*"):
        if path.suffix in {".yaml", ".txt"}:
            assert first.match(path.read_text()), path


def test_the_values_of_every_version_before_are_kept() -> None:
    version = yaml.safe_load((CHARTS / "api" / "Chart.yaml").read_text())["version"]
    assert version in {path.name for path in RELEASED}
    for folder in RELEASED:
        assert {path.stem for path in folder.glob("*.yaml")} == set(ALL)
