"""Write into the charts what they take from elsewhere in this repository: `python -m scripts.chart_files`.

A chart has to be whole wherever it is installed from, and Git sources and archives drop symbolic links, so it holds
copies. With `--check` nothing is written: each copy that is not what its source makes is named, and the exit code is 1.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HELPERS = Path("charts/_shared/helpers.tpl")
# Nothing but copies, which the folder's name says because JSON has no comments to say it in.
GENERATED = "generated"


@dataclass(frozen=True, slots=True)
class Copy:
    """A generated file; both paths start at the repository's root."""

    path: Path
    source: Path
    text: str


def copies(root: Path) -> Iterator[Copy]:
    """Every generated file of the repository at `root`, as it has to be."""
    helpers = (root / HELPERS).read_text()
    for about in sorted(root.glob("charts/*/Chart.yaml")):
        chart = about.parent.name
        path = about.parent.relative_to(root) / "templates" / "_helpers.tpl"
        yield Copy(path, HELPERS, f"{{{{/* {origin(HELPERS)} */}}}}\n" + helpers.replace("CHART", chart))
        yield copy_of(root, about.parent / "values.yaml", generated(chart))
    for name in ("policy.yaml", "contract.yaml", "letter.html"):
        yield copy_of(root, root / "configs" / name, generated("api"))
    for rules in sorted(root.glob("monitoring/rules/*.yaml")):
        # Each server's rules go with its chart, all others with the API's.
        chart = rules.stem if (root / "charts" / rules.stem).is_dir() else "api"
        yield copy_of(root, rules, generated(chart) / "rules")
    for dashboard in sorted(root.glob("monitoring/dashboards/*.json")):
        yield copy_of(root, dashboard, generated("api") / "dashboards")


def generated(chart: str) -> Path:
    """The folder of a chart's copies."""
    return Path("charts", chart, GENERATED)


def copy_of(root: Path, file: Path, folder: Path) -> Copy:
    """A file's copy in a folder of a chart; of JSON and HTML, to the byte."""
    source = file.relative_to(root)
    first = "" if file.suffix in (".json", ".html") else f"# {origin(source)}\n"
    return Copy(folder / file.name, source, first + file.read_text())


def origin(source: Path) -> str:
    """The first line of a copy."""
    return f"Generated from {source} by `make charts`: change that file, not this one."


def stale(root: Path) -> list[str]:
    """What is wrong with the generated files of the repository at `root`, one sentence a file."""
    wanted = list(copies(root))
    found = {path.relative_to(root) for path in root.glob(f"charts/*/{GENERATED}/**/*") if path.is_file()}
    return [
        f"{copy.path} is stale: run make charts, which makes it from {copy.source}"
        for copy in wanted
        if not (root / copy.path).is_file() or (root / copy.path).read_text() != copy.text
    ] + [f"{path} has no source any more: run make charts" for path in sorted(found - {copy.path for copy in wanted})]


def write(root: Path) -> None:
    """Write every generated file of the repository at `root`, and remove those without a source."""
    wanted = list(copies(root))
    for folder in root.glob(f"charts/*/{GENERATED}"):
        shutil.rmtree(folder)
    for copy in wanted:
        (root / copy.path).parent.mkdir(parents=True, exist_ok=True)
        (root / copy.path).write_text(copy.text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the charts' generated files.")
    parser.add_argument("--check", action="store_true", help="name what is stale and write nothing")
    if parser.parse_args().check:
        sys.exit("\n".join(stale(ROOT)) or None)
    write(ROOT)
