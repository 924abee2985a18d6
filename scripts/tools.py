"""Put helm and promtool, which tests run, into .tools where PATH has none: `python -m scripts.tools`.

Each comes from its project's own archive, or is built by Go where that cannot be reached. What cannot be had is said,
and noted beside the tools, so that its tests are skipped with that reason instead of failing.
"""

import io
import os
import platform
import shutil
import subprocess
import tarfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".tools"
DOWNLOAD_SECONDS = 60
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), platform.machine())
SYSTEM = f"{platform.system().lower()}-{ARCHITECTURE}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, and where it can be had."""

    name: str
    archive: str
    module: str
    """For `go install`; empty when building it would take longer than all the tests."""


TOOLS = (
    Tool("helm", f"https://get.helm.sh/helm-v4.3.1-{SYSTEM}.tar.gz", "helm.sh/helm/v4/cmd/helm@v4.3.1"),
    Tool(
        "promtool",
        f"https://github.com/prometheus/prometheus/releases/download/v3.16.0/prometheus-3.16.0.{SYSTEM}.tar.gz",
        "",
    ),
)


def find(name: str) -> str | None:
    """The program's path, on PATH or in .tools."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), str(FOLDER)]))


def unavailable(name: str) -> Path:
    """The note that says why a program could not be had."""
    return FOLDER / f"{name}.unavailable"


def download(tool: Tool) -> None:
    """Take the program out of its archive; raises OSError when it cannot be reached."""
    with urllib.request.urlopen(tool.archive, timeout=DOWNLOAD_SECONDS) as answer:
        content = io.BytesIO(answer.read())
    with tarfile.open(fileobj=content) as archive:
        member = next(member for member in archive if Path(member.name).name == tool.name and member.isfile())
        file = archive.extractfile(member)
        assert file is not None
        (FOLDER / tool.name).write_bytes(file.read())
    (FOLDER / tool.name).chmod(0o755)


def build(tool: Tool) -> None:
    """Build the program with Go; raises OSError when that cannot be done."""
    if not tool.module or shutil.which("go") is None:
        raise OSError("no Go to build it with" if tool.module else "too large to build")
    environment = os.environ | {"GOBIN": str(FOLDER), "CGO_ENABLED": "0"}
    ended = subprocess.run(["go", "install", tool.module], env=environment, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise OSError(f"go install {tool.module}: {ended.stderr.strip().splitlines()[-1]}")


def install(tool: Tool) -> None:
    """Have the program, or the reason why not."""
    if find(tool.name) is not None:
        return
    reasons = []
    for way in (download, build):
        try:
            way(tool)
        except OSError as error:
            reasons.append(str(error))
        else:
            unavailable(tool.name).unlink(missing_ok=True)
            say(f"{tool.name}: installed in .tools")
            return
    unavailable(tool.name).write_text("; ".join(reasons))
    say(f"{tool.name}: not to be had ({'; '.join(reasons)}); put it on PATH to run its tests")


def say(text: str) -> None:
    """One line for the person who watches."""
    print(text, flush=True)  # noqa: T201 - its output


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for wanted in TOOLS:
        install(wanted)
