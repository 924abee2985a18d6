"""The power is cut under load: a file system that ends at once, as ext4 does when told to go down without its log."""

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.servers import running_server
from harness.waiting import wait_until
from tests.support.journals import keys
from tests.support.recording import Answers, asking, settings_of, variables

SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN of the kernel's include/uapi/linux/ext4.h."""
WITHOUT_LOG = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH: what is not on the device now never gets there."""


class Disk:
    """An ext4 file system in a file, mounted."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.image, self.folder = image, folder
        folder.mkdir()

    def mount(self) -> None:
        command = ["mount", "-o", "loop", str(self.image), str(self.folder)]
        subprocess.run(command, check=True, capture_output=True, text=True)

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True, capture_output=True, text=True)

    def cut_power(self) -> None:
        """From here on nothing can be written; what no sync has brought to the device is gone with the next mount."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_LOG))
        finally:
            os.close(descriptor)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "disk.img", tmp_path / "disk")
    with made.image.open("wb") as image:
        image.truncate(256 * 1024 * 1024)
    try:
        subprocess.run(["mkfs.ext4", "-q", str(made.image)], check=True, capture_output=True, text=True)
        made.mount()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no ext4 file system can be mounted here: {getattr(error, 'stderr', error)}".strip())
    try:
        yield made
    finally:
        made.unmount()


def lost_by_a_power_cut(disk: Disk, tmp_path: Path, durability: str) -> int:
    """How many decisions that a client was told of before the power went are gone after it."""
    settings, answers = settings_of(tmp_path, journal_dir=disk.folder / "journal", durability=durability), Answers()
    with running_server(variables(settings), tmp_path / "log") as server:
        server.wait_ready()
        with asking(server, answers):
            wait_until(lambda: len(answers.ids), lambda it: it > 2000, what="decisions")
            told = list(answers.ids)
            disk.cut_power()
            wait_until(lambda: len(answers.failed), lambda it: it > 3, what="refusals")
            server.process.kill()
            server.process.wait()
    disk.unmount()
    disk.mount()
    assert {it[:3] for it in answers.failed} == {"503"}
    folder = settings.audit.journal_dir
    kept = set(keys(folder, "decision")) if folder.is_dir() else set()
    return len(set(told) - kept)


def test_what_was_answered_outlives_a_power_cut_where_answers_wait_for_the_disk(disk: Disk, tmp_path: Path) -> None:
    assert lost_by_a_power_cut(disk, tmp_path, "disk") == 0


def test_by_the_kernels_word_alone_the_last_decisions_go_with_the_power(disk: Disk, tmp_path: Path) -> None:
    """The other side of the setting, which also shows that this disk does forget."""
    assert lost_by_a_power_cut(disk, tmp_path, "kernel") > 0
