"""An installation of this project without some of its extras, made of what is installed here."""

import sys
import venv
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app.settings import ROOT

OWN = "credit-default-decisions"
LIBRARY = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
PROGRAM = "#!{python}\nimport sys\n\nfrom app.cli.main import main\n\nsys.exit(main())\n"


def without_extras(folder: Path) -> Path:
    """The command `credit` of a new environment in the folder that has the dependencies and none of the extras."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = folder / LIBRARY
    for found in _needed(OWN):
        _link(found, site)
    (site / "project.pth").write_text(f"{ROOT}\n")
    program = folder / "bin" / "credit"
    program.write_text(PROGRAM.format(python=folder / "bin" / "python"))
    program.chmod(0o755)
    return program


def _needed(name: str) -> Iterator[Distribution]:
    """Every distribution that one needs, itself included."""
    waiting: list[tuple[str, frozenset[str]]] = [(name, frozenset())]
    known: set[tuple[str, frozenset[str]]] = set()
    told: set[str] = set()
    while waiting:
        one = waiting.pop()
        if one in known:
            continue
        known.add(one)
        found = distribution(one[0])
        if one[0] not in told:
            told.add(one[0])
            yield found
        waiting += _required(found.requires or (), one[1])


def _required(requirements: Sequence[str], extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for text in requirements:
        needed = Requirement(text)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(needed.name), frozenset(needed.extras)


def _link(found: Distribution, site: Path) -> None:
    """Its files one by one: some share folders with those of others. Programs and the project's own are left out."""
    for file in found.files or ():
        if ".." not in file.parts and file.suffix != ".pth" and not file.name.startswith("__editable__"):
            place = site / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(Path(str(file.locate())).resolve())
