"""Whether a tag may be released: `python -m scripts.check_release v0.1.0`.

The tag names the version of `app/__init__.py`; each chart has it, and each image of this project that a chart names by
a version of its own; the changelog has a section of it. Every difference is told at once.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from app import __version__
from app.settings import ROOT

OURS = "credit-default-"
"""What the names of this project's images begin with."""


def problems(tag: str, root: Path = ROOT, version: str = __version__) -> Iterator[str]:
    """What keeps the tag from being released, one sentence each."""
    if tag != f"v{version}":
        yield f"the tag is {tag}, and app/__init__.py has the version {version}: v{version} is its tag"
    for path in sorted(root.glob("charts/*/Chart.yaml")):
        chart = yaml.safe_load(path.read_text())
        values_file = path.with_name("values.yaml")
        tags = list(_image_tags(yaml.safe_load(values_file.read_text()) if values_file.exists() else None))
        told = {"version": chart["version"]}
        if "" in tags:
            # The chart's own templates take it for the tag of an image that has none.
            told["appVersion"] = chart["appVersion"]
        for name, found in told.items():
            if str(found) != version:
                yield f"{path.relative_to(root)}: {name} is {found}, not {version}"
        for found in sorted(set(tags) - {"", version}):
            yield f"{values_file.relative_to(root)}: an image of this project has the tag {found}, not {version}"
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", _changelog(root), re.MULTILINE):
        yield f"CHANGELOG.md has no section '## [{version}] - YYYY-MM-DD'"


def _image_tags(values: object) -> Iterator[str]:
    """Of this project's images among a chart's values."""
    if isinstance(values, dict):
        if str(values.get("repository", "")).startswith(OURS):
            yield str(values.get("tag", ""))
        for value in values.values():
            yield from _image_tags(value)


def _changelog(root: Path) -> str:
    return (root / "CHANGELOG.md").read_text()


def main() -> int:
    """Tell what is wrong; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.check_release", description="May a tag be released?")
    parser.add_argument("tag", help="such as v0.1.0")
    tag = parser.parse_args().tag
    found = list(problems(tag))
    sys.stdout.write("".join(f"error: {it}\n" for it in found) or f"{tag} may be released\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
