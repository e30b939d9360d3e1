"""Mounts volumes where every program of the host sees them, unmounts them within a time, and makes file systems where nothing is.

By util-linux' own programs: they write down what systemd needs to unmount a volume before the network goes (`_netdev`).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.limits import Ran, TooLongError, run
from dtn_agent.nvmeof.places import HostPlaces
from dtn_agent.probe.files import Files, HostRoot
from dtn_agent.probe.mounts import Mount, mounts
from dtn_agent.protocol.volumes import FileSystem, HeldMount

MOUNT_SECONDS = 30.0
UNMOUNT_SECONDS = 30.0  # what is not written yet is written first
LOOK_SECONDS = 20.0
MAKE_SECONDS = 200.0  # dtnctl waits 300 s
NOTHING_FOUND = 2  # blkid's exit code
PROVEN_EMPTY = 16 << 20  # bytes at the beginning that must be zero, besides no signature anywhere
PROVEN_END = 1 << 20  # and at the end, where RAID and others write what they need
SECTOR = 512  # the kernel counts sizes in it
# A read-only mount writes no journal. nouuid: the remains of a mount whose target was lost have the same UUID
OPTIONS = {("ext4", "ro"): "ro,noload", ("ext4", "rw"): "rw", ("xfs", "ro"): "ro,norecovery,nouuid", ("xfs", "rw"): "rw,nouuid"}
MAKE = {"ext4": ("mkfs.ext4", "-q", "-F", "-E", "nodiscard"), "xfs": ("mkfs.xfs", "-q", "-f", "-K")}
# what a file system that was begun says of itself for as long as nothing can be in it
UNUSED = {
    "ext4": (("dumpe2fs", "-h"), "Last mount time: n/a"),
    "xfs": (("xfs_db", "-r", "-c", "sb 0", "-c", "print inprogress"), "inprogress = 1"),
}
# <linux/fs.h>: the flags of an inode, and the one by which a folder takes no new files, not even root's
GET_FLAGS, SET_FLAGS, IMMUTABLE = 0x8008_6601, 0x4008_6602, 0x10


@dataclass(frozen=True, slots=True)
class HostMounts:
    """The mounts of the host, whatever our own view of them is."""

    places: HostPlaces = field(default_factory=HostPlaces)

    def at(self, path: str) -> Mount | None:
        """What is mounted there, on top."""
        root = HostRoot(sys=self.places.sys, proc=self.places.proc)
        return next((mount for mount in reversed(mounts(Files(root))) if mount.target == path), None)

    def mount(self, device: str, wanted: HeldMount) -> None:
        """At its folder, which is made. Refused with the reason."""
        have_folder(Path(wanted.path))
        options = f"{OPTIONS[wanted.file_system, wanted.mode]},nosuid,nodev,_netdev"
        words = ["mount", "--no-canonicalize", "-t", wanted.file_system, "-o", options, device, wanted.path]
        ran = self._run(words, MOUNT_SECONDS, f"{device} is not mounted yet")
        if ran.code != 0:
            raise RefusedError("failed", f"{device} cannot be mounted at {wanted.path}: {ran.reason}")

    def unmount(self, path: str, *, detach: bool = False, seconds: float = UNMOUNT_SECONDS) -> None:
        """Have nothing mounted there; what it held may still be written then. Refused while it is in use.

        `detach`: what still has it open does not keep it mounted.
        """
        words = ["umount", "--no-canonicalize", *(["--lazy"] if detach else []), path]
        try:
            ran = self._run(words, seconds, f"{path} is not unmounted yet, it still writes what it holds")
        except RefusedError as error:
            if error.code != "failed" or self.at(path) is not None:
                raise
            return
        if ran.code != 0 and self.at(path) is not None:
            raise RefusedError("conflict", f"{path} cannot be unmounted: {ran.reason}")

    def have_file_system(self, device: str, kind: FileSystem, *, is_ours: bool, may_make: bool) -> bool:
        """Refused if another is on it. Made only if nothing is on it, or if we had begun to (`is_ours`); whether one has to be made.

        What we had begun may be in use since, by another host: it is not made once more then.
        """
        found = self.found_on(device)
        if found == kind:
            return is_ours and not self._may_be_used(device, kind)
        if is_ours and not found:
            return True
        if found:
            raise RefusedError("conflict", f"{device} has {found} on it, and no {kind}; it is left as it is")
        if not may_make:
            raise RefusedError("conflict", f"{device} has no file system; `format: if-empty` makes one")
        if not self._is_zero(device):
            raise RefusedError("conflict", f"{device} has no known file system, and is not empty either; it is left as it is")
        return True

    def make_file_system(self, device: str, kind: FileSystem) -> None:
        """Over whatever is there: `have_file_system` said that nothing is."""
        ran = self._run([*MAKE[kind], device], MAKE_SECONDS, f"{device}: {MAKE[kind][0]} has not ended", on_host=False)
        if ran.code != 0:
            raise RefusedError("failed", f"{device}: {MAKE[kind][0]}: {ran.reason}")

    def found_on(self, device: str) -> str:
        """The type of what is on it, `partitions` for a table of them; empty if nothing is known. Refused if that cannot be read."""
        ran = self._run(["blkid", "--probe", "--output", "export", device], LOOK_SECONDS, f"{device} cannot be read", on_host=False)
        if ran.code == NOTHING_FOUND:
            return ""
        if ran.code != 0:
            raise RefusedError("conflict", f"{device}: blkid does not know what is on it: {ran.reason}")
        found = dict(line.partition("=")[::2] for line in ran.out.splitlines())
        return found.get("TYPE") or ("partitions" if found.get("PTTYPE") else "something unknown")

    def _may_be_used(self, device: str, kind: FileSystem) -> bool:
        """Whether it is complete (xfs), or was mounted to be written (ext4, which does not say whether it is complete)."""
        words, sign = UNUSED[kind]
        ran = self._run([*words, device], LOOK_SECONDS, f"{device} cannot be read", on_host=False)
        if ran.code != 0:
            raise RefusedError("conflict", f"{device}: {words[0]} does not know whether it is used: {ran.reason}; it is left as it is")
        return not any(line.split() == sign.split() for line in ran.out.splitlines())

    def _is_zero(self, device: str) -> bool:
        """At its beginning and at its end."""
        size = SECTOR * int(Files(HostRoot(sys=self.places.sys)).value(f"{self.places.sys}/block/{Path(device).name}/size") or 0)
        parts = ((0, min(PROVEN_EMPTY, size)), (max(size - PROVEN_END, 0), min(PROVEN_END, size)))
        return size > 0 and all(self._holds_zeros(device, skipped, length) for skipped, length in parts)

    def _holds_zeros(self, device: str, skipped: int, length: int) -> bool:
        words = ["cmp", "--quiet", f"--ignore-initial={skipped}:0", f"--bytes={length}", device, "/dev/zero"]
        return self._run(words, LOOK_SECONDS, f"{device} cannot be read", on_host=False).code == 0

    def _run(self, words: Sequence[str], seconds: float, unfinished: str, *, on_host: bool = True) -> Ran:
        """`on_host`: where the host's first process sees it, and not only we, whom our service manager gives a view of our own."""
        try:
            return run([*(self._on_host() if on_host else ()), *words], seconds)
        except TooLongError as error:
            raise RefusedError("failed", f"{unfinished}: {error}; try again") from None
        except OSError as error:
            raise RefusedError("unsupported", f"{words[0]} cannot be run on this host: {error.strerror}") from None

    def _on_host(self) -> tuple[str, ...]:
        own, first = (_link(self.places.proc / name / "ns/mnt") for name in ("self", "1"))
        return () if own == first else ("nsenter", f"--mount={self.places.proc}/1/ns/mnt", "--")


def have_folder(path: Path) -> None:
    """A folder that takes no files: a service must not write into it while nothing is mounted there."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _set_immutable(path, on=True)
    except OSError as error:
        text = f"{path} cannot be made immutable ({error.strerror}), so a service could write into it while nothing is mounted there"
        raise RefusedError("unsupported", f"{text}; is it on a disk?") from None


def drop_folder(path: Path) -> None:
    """If it is there, and empty; the one above, too."""
    try:
        with suppress(FileNotFoundError):  # after a crash the one above may be left
            _set_immutable(path, on=False)
            path.rmdir()
        path.parent.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EBUSY):
            raise RefusedError("failed", f"{path} cannot be removed: {error.strerror}") from None


def _set_immutable(path: Path, *, on: bool) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        (flags,) = struct.unpack("l", fcntl.ioctl(folder, GET_FLAGS, struct.pack("l", 0)))
        wanted = flags | IMMUTABLE if on else flags & ~IMMUTABLE
        if wanted != flags:
            fcntl.ioctl(folder, SET_FLAGS, struct.pack("l", wanted))
    finally:
        os.close(folder)


def _link(path: Path) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  # a text is wanted
    except OSError:
        return ""
