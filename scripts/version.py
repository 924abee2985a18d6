"""Set the version of a release wherever it stands: `python -m scripts.version 1.2.3`.

Its source is app/__init__.py. Helm reads no file outside a chart, so that each chart says it again.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PLACES = (
    ("app/__init__.py", r'^__version__ = "(.+)"$'),
    ("charts/*/Chart.yaml", r"^version: (.+)$"),
    # The other charts' images are not this project's.
    ("charts/api/Chart.yaml", r"^appVersion: (.+)$"),
    ("charts/mlflow/Chart.yaml", r"^appVersion: (.+)$"),
    ("charts/monitoring/Chart.yaml", r"^appVersion: (.+)$"),
    ("charts/minio/values.yaml", r"^    repository: credit-default-mlflow\n    # .+\n    tag: (.+)$"),
    ("charts/backup/values.yaml", r"^    repository: credit-default-mlflow\n    # .+\n    tag: (.+)$"),
)
"""Files, and the line that must be in each; its group is the version."""


def places(root: Path) -> Iterator[tuple[Path, str, re.Match[str]]]:
    """File, its text, and where the version stands in it. Raises SystemExit when that line is not there."""
    for pattern, line in PLACES:
        for file in sorted(root.glob(pattern)):
            text = file.read_text()
            found = re.search(line, text, re.MULTILINE)
            if found is None:
                raise SystemExit(f"error: {file.relative_to(root)} has no line {line}")
            yield file, text, found


def set_version(root: Path, version: str) -> None:
    """Write it everywhere."""
    for file, text, found in places(root):
        start, end = found.span(1)
        file.write_text(text[:start] + version + text[end:])


def semantic(text: str) -> str:
    """As Helm wants a chart's version."""
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no version such as 1.2.3 or 1.2.3-rc.1")
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m scripts.version", description="Set the version of a release.")
    parser.add_argument("version", type=semantic)
    set_version(ROOT, parser.parse_args().version)
