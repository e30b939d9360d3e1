"""On this machine's kernel: a file system that is unmounted keeps its device until all is written, and the agent sees that.

The device is a loop over a file of another file system, which is frozen: what is written through it waits.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dtn_agent.nvmeof.fabrics import Fabrics
from dtn_agent.nvmeof.mounts import HostMounts
from dtn_agent.nvmeof.places import HostPlaces
from dtn_agent.nvmeof.users import Users

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="loop devices and mounts need root")


@dataclass(frozen=True)
class SlowDisk:
    """`device` is on a file in `lower`, which is mounted. `place`: where it may be mounted itself."""

    device: str
    lower: Path
    place: Path

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        run("fsfreeze", "--freeze", str(self.lower))
        try:
            yield
        finally:
            run("fsfreeze", "--unfreeze", str(self.lower))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SlowDisk]:
    with contextlib.ExitStack() as stack:
        lower, place = tmp_path / "lower", tmp_path / "mounted"
        for folder in (lower, place):
            folder.mkdir()
        run("mount", loop(stack, tmp_path / "lower.img", 96), str(lower))
        stack.callback(run, "umount", str(lower))
        device = loop(stack, lower / "disk.img", 64)
        stack.callback(subprocess.run, ["umount", str(place)], capture_output=True, check=False)  # of a test that failed
        yield SlowDisk(device, lower, place)


@pytest.fixture
def mounts(tmp_path: Path) -> HostMounts:
    """Of this process, which stands for the host's first one."""
    (tmp_path / "proc").mkdir()
    for name in ("1", "self"):
        (tmp_path / "proc" / name).symlink_to("/proc/self")
    return HostMounts(HostPlaces(proc=tmp_path / "proc"))


def loop(stack: contextlib.ExitStack, file: Path, megabytes: int) -> str:
    """A loop device with an ext4 on it, for as long as the stack."""
    with file.open("wb") as opened:
        opened.truncate(megabytes << 20)
    try:
        device = run("losetup", "--find", "--show", str(file)).strip()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine has no loop devices")
    stack.callback(run, "losetup", "--detach", device)
    run("mkfs.ext4", "-q", device)
    return device


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_a_device_is_claimed_until_what_its_mount_held_is_written(disk: SlowDisk, mounts: HostMounts) -> None:
    fabrics, place = Fabrics(device_seconds=0.1), disk.place
    assert not fabrics.is_claimed(disk.device)
    run("mount", disk.device, str(place))
    assert fabrics.is_claimed(disk.device)
    (place / "data").write_bytes(os.urandom(8 << 20))
    with disk.waiting():
        mounts.unmount(str(place), seconds=1.0)
        assert mounts.at(str(place)) is None, "Linux takes it away first"
        assert not fabrics.wait_until_free(disk.device)
        (user,) = Users().of_unmount(str(place))
        assert user.startswith("umount (process ")
    while not fabrics.wait_until_free(disk.device):
        pass
    assert Users().of_unmount(str(place)) == []


def test_a_device_that_is_not_there_is_not_claimed_and_one_of_which_nothing_is_known_is(tmp_path: Path) -> None:
    assert not Fabrics().is_claimed(str(tmp_path / "none"))
    (tmp_path / "loop").symlink_to("loop")
    assert Fabrics().is_claimed(str(tmp_path / "loop"))
