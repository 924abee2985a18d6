"""Each chart is whole by itself: a folder of regular files, of which none has to be kept equal by hand."""

import shutil
from pathlib import Path

import pytest

from scripts.chart_files import stale, write
from tests.charts.conftest import CHARTS, ROOT, Object, chart_folder, helm, objects_of, template_from
from tests.charts.variants import ALL, ci_values


def regular_files(chart: str, to: Path) -> Path:
    """The chart as it arrives where symbolic links are dropped on the way, as Flux does."""
    shutil.copytree(chart_folder(chart), to, ignore=symbolic_links)
    return to


def symbolic_links(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(folder, name).is_symlink()]


def package(chart: str, to: Path) -> Path:
    """The chart as the archive that `helm package` makes."""
    done = helm("package", str(chart_folder(chart)), "--destination", str(to))
    assert done.returncode == 0, done.stderr
    (archive,) = to.iterdir()
    return archive


def rendered(place: Path, chart: str) -> list[list[Object]]:
    """The objects with the default values and with each of ci/; a Secret by its keys, because passwords are random."""
    values = ["{}", *(path.read_text() for path in ci_values(chart))]
    found = [objects_of(template_from(place, chart, text)) for text in values]
    for thing in (thing for objects in found for thing in objects if thing["kind"] == "Secret"):
        thing |= {part: sorted(thing[part]) for part in ("data", "stringData") if part in thing}
    return found


def test_no_symbolic_link_stands_in_the_charts() -> None:
    assert [str(path.relative_to(ROOT)) for path in CHARTS.rglob("*") if path.is_symlink()] == []


@pytest.mark.parametrize("chart", ALL)
def test_regular_files_alone_and_an_archive_of_them_render_as_the_checkout(chart: str, tmp_path: Path) -> None:
    expected = rendered(chart_folder(chart), chart)
    assert rendered(regular_files(chart, tmp_path / "copy"), chart) == expected
    assert rendered(package(chart, tmp_path / "archive"), chart) == expected


@pytest.mark.parametrize("missing", ["rules", "dashboards", "policy.yaml", "contract.yaml"])
def test_a_copy_without_the_generated_files_is_refused(missing: str, tmp_path: Path) -> None:
    copy = regular_files("api", tmp_path / "copy")
    path = copy / "generated" / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = template_from(copy, "api", "{}")
    assert done.returncode != 0
    assert f"generated/{missing} is missing" in done.stderr


def test_the_generated_files_are_those_of_their_sources() -> None:
    assert stale(ROOT) == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the charts, up to date, and of what is copied into them."""
    for part in ("charts", "configs", "monitoring"):
        # Of charts/monitoring without what it depends on, which no generated file is made for.
        shutil.copytree(ROOT / part, tmp_path / part, symlinks=True, ignore=shutil.ignore_patterns("charts"))
    write(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        "charts/postgres/templates/_helpers.tpl",
        "charts/api/generated/contract.yaml",
        "charts/api/generated/policy.yaml",
        "charts/api/generated/rules/api.yaml",
        "charts/api/generated/dashboards/service.json",
    ],
)
def test_a_generated_file_that_was_edited_or_deleted_is_named_and_written_again(path: str, checkout: Path) -> None:
    original = (checkout / path).read_text()
    (checkout / path).write_text(original + " ")
    (edited,) = stale(checkout)
    (checkout / path).unlink()
    (deleted,) = stale(checkout)
    for complaint in (edited, deleted):
        assert complaint.startswith(path)
        assert "make charts" in complaint
    write(checkout)
    assert (checkout / path).read_text() == original


def test_a_changed_source_makes_its_copies_stale(checkout: Path) -> None:
    helpers = checkout / "charts" / "_shared" / "helpers.tpl"
    helpers.write_text(helpers.read_text() + "{{/* More. */}}\n")
    assert [complaint.split()[0] for complaint in stale(checkout)] == [
        f"charts/{chart}/templates/_helpers.tpl" for chart in ALL
    ]


def test_a_copy_whose_source_is_gone_is_named_and_removed(checkout: Path) -> None:
    (checkout / "monitoring" / "rules" / "record.yaml").unlink()
    (complaint,) = stale(checkout)
    assert complaint.startswith("charts/api/generated/rules/record.yaml")
    write(checkout)
    assert stale(checkout) == []
