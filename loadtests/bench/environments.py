"""Environments for what must not share ours: each peer's under build/bench, with the versions of its file."""

import subprocess
import sys
from pathlib import Path

from app.settings import ROOT

REQUIREMENTS = Path(__file__).parent / "peers" / "requirements"
FOLDER = ROOT / "build" / "bench"
INSTALL_SECONDS = 600.0


class NotInstalled(Exception):
    """The environment cannot be made; the text says why."""


def programs_of(peer: str) -> Path:
    """The bin folder of a peer's environment, made when it is missing or its file has changed.

    Raises NotInstalled.
    """
    wanted = REQUIREMENTS / f"{peer}.txt"
    environment = FOLDER / peer / "venv"
    installed = FOLDER / peer / wanted.name
    if not installed.exists() or installed.read_text() != wanted.read_text():
        environment.parent.mkdir(parents=True, exist_ok=True)
        _uv("venv", "--clear", "--python", sys.executable, str(environment))
        _uv("pip", "install", "--python", str(environment / "bin" / "python"), "--requirement", str(wanted))
        installed.write_text(wanted.read_text())
    return environment / "bin"


def _uv(*arguments: str) -> None:
    command = [sys.executable, "-m", "uv", *arguments, "--quiet"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"uv {arguments[0]} took more than {INSTALL_SECONDS:g} s") from error
    if done.returncode != 0:
        raise NotInstalled(" ".join(done.stderr.split()) or f"uv {arguments[0]} ended with {done.returncode}")
