"""What a volume is made of: a block device or a file that nothing else uses. Whoever uses it is named in the refusal."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.limits import run
from dtn_agent.nvmeof.places import HostPlaces
from dtn_agent.probe.files import Files, HostRoot
from dtn_agent.probe.mounts import mounts
from dtn_agent.protocol.volumes import Backing

BLKID_SECONDS = 20.0
MEMBERS = re.compile(r".*_member|btrfs|bcache|swap|swsuspend")  # blkid's types of what is a part of something larger, or swap
NOTHING_FOUND = 2  # blkid's exit code


@dataclass(frozen=True, slots=True)
class Backings:
    """The devices and files of one host."""

    places: HostPlaces = field(default_factory=HostPlaces)

    def have(self, backing: Backing) -> None:
        """Refused if it is not there, or not what was asked for. A file that is not there is made, sparse."""
        if backing.device is not None:
            self._number(backing.device)
        elif backing.file is not None:
            _have_file(backing.file, backing.size)
        else:
            raise RefusedError("bad-request", "backing: a device or a file is needed")

    def check_free(self, backing: Backing, exported: Iterable[tuple[str, str]]) -> None:
        """Refused if anything uses it. `exported`: NQN and path of what is exported."""
        path = backing.device or backing.file or ""
        for use in (*self._exported(path, exported), *(self._uses_of_device(path) if backing.device else self._uses_of_file(path))):
            raise RefusedError("conflict", f"{path} {use}; nothing was changed")

    def mounted_at(self, backing: Backing) -> str:
        """Where this host has mounted the device, though others write to it; empty if nowhere."""
        if backing.device is None or not Path(backing.device).exists():
            return ""
        return next(self._mounts(self._number(backing.device)), "")

    # --- devices ---

    def _number(self, path: str) -> str:
        """`major:minor`. Refused if that is no block device."""
        try:
            found = Path(path).stat()
        except OSError as error:
            raise RefusedError("not-found", f"{path}: there is no such device on this host: {error.strerror}") from None
        if not stat.S_ISBLK(found.st_mode):
            raise RefusedError("bad-request", f"{path} is no block device")
        return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"

    def _uses_of_device(self, path: str) -> Iterator[str]:
        """What uses it, in words, the most telling first."""
        number = self._number(path)
        folder = self.places.sys / "dev/block" / number
        yield from (f"is mounted at {target}" for target in self._mounts(number))
        yield from (f"is swap space (/proc/swaps has {name})" for name in self._swaps() if self._same(name, path))
        for holder in sorted(_names(folder / "holders")):
            yield f"is used by {_title(self.places.sys / 'block' / holder)}"
        for part in sorted(name for name in _names(folder) if (folder / name / "partition").exists()):
            yield from (f"has a partition {part} that {use}" for use in self._uses_of_part(folder / part))
        if not self.can_claim(path):
            yield "is in use: the kernel does not open it exclusively (mounted, swap, or part of an array or a volume group)"
        if member := self.member_of(path):
            yield f"has the signature of {member}: it may be part of an array, a pool or a volume group; `wipefs` shows and removes it"

    def _uses_of_part(self, folder: Path) -> Iterator[str]:
        number = (folder / "dev").read_text().strip()
        yield from (f"is mounted at {target}" for target in self._mounts(number))
        yield from (f"is used by {_title(self.places.sys / 'block' / holder)}" for holder in sorted(_names(folder / "holders")))

    def can_claim(self, path: str) -> bool:
        """Whether the kernel lets us have it for ourselves, which it does while nothing else does."""
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
        except OSError as error:
            if error.errno == errno.EBUSY:
                return False
            raise RefusedError("failed", f"{path} cannot be opened: {error.strerror}") from None
        return True

    def member_of(self, path: str) -> str:
        """The type of array, pool or volume group whose signature it has; empty if none. Refused if that cannot be found out."""
        try:
            ran = run(["blkid", "--probe", "--output", "export", path], BLKID_SECONDS)
        except OSError as error:
            raise RefusedError("unsupported", f"{path}: what is on it cannot be found out: blkid (util-linux): {error}") from None
        if ran.code == NOTHING_FOUND:
            return ""
        if ran.code != 0:
            raise RefusedError("conflict", f"{path}: blkid does not know what is on it: {ran.reason}")
        found = dict(line.partition("=")[::2] for line in ran.out.splitlines())
        kind = found.get("TYPE", "")
        return kind if MEMBERS.fullmatch(kind) or found.get("USAGE") == "raid" else ""

    def _mounts(self, number: str) -> Iterator[str]:
        files = Files(HostRoot(sys=self.places.sys, proc=self.places.proc))
        name = (self.places.sys / "dev/block" / number).resolve().name
        yield from (mount.target for mount in mounts(files) if mount.number == number or mount.device == name)

    def _swaps(self) -> list[str]:
        lines = Files(HostRoot(proc=self.places.proc)).value(f"{self.places.proc}/swaps").splitlines()[1:]
        return [line.split()[0] for line in lines if line]

    # --- files ---

    def _uses_of_file(self, path: str) -> Iterator[str]:
        yield from (f"is swap space (/proc/swaps has {name})" for name in self._swaps() if self._same(name, path))
        for loop in sorted(name for name in _names(self.places.sys / "block") if name.startswith("loop")):
            backing = Files(HostRoot(sys=self.places.sys)).value(f"{self.places.sys}/block/{loop}/loop/backing_file")
            if backing and self._same(backing, path):
                yield f"is the backing file of /dev/{loop}"
        if not _can_lease(path):
            yield "is open in another program (`fuser` shows which)"

    # --- both ---

    def _exported(self, path: str, exported: Iterable[tuple[str, str]]) -> Iterator[str]:
        yield from (f"is exported already, as {nqn}" for nqn, other in exported if self._same(other, path))

    def _same(self, one: str, other: str) -> bool:
        """Whether both names are one file or one device."""
        try:
            first, second = Path(one).stat(), Path(other).stat()
        except OSError:
            return one == other
        if stat.S_ISBLK(first.st_mode) and stat.S_ISBLK(second.st_mode):
            return first.st_rdev == second.st_rdev
        return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _have_file(path: str, size: int | None) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        _make_file(path, size)
        return
    except OSError as error:
        raise RefusedError("not-found", f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError("bad-request", f"{path} is no plain file")
    if size is not None and found.st_size != size:
        raise RefusedError("conflict", f"{path} is there and has {found.st_size} bytes, not {size}; it is neither grown nor cut")


def _make_file(path: str, size: int | None) -> None:
    """Whole or not at all: of a crash nothing is left under this name."""
    if size is None:
        raise RefusedError("not-found", f"{path}: there is no such file, and no size to make it with")
    draft = f"{path}.dtnctl-draft"
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(file, size)
            os.fsync(file)
        finally:
            os.close(file)
        os.rename(draft, path)  # noqa: PTH104  # paths are texts here
    except OSError as error:
        raise RefusedError("failed", f"{path} cannot be made: {error.strerror}") from None


def _can_lease(path: str) -> bool:
    """A write lease is given only while no other process has the file open; a file system that knows no leases gives no answer."""
    try:
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise RefusedError("failed", f"{path} cannot be opened: {error.strerror}") from None
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError as error:
        return error.errno != errno.EAGAIN
    finally:
        os.close(file)
    return True


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # names are what is wanted
    except OSError:
        return []


def _title(folder: Path) -> str:
    """A device above, as people know it: the name of a mapped one (LVM, LUKS, multipath), an array's of md."""
    name = Files(HostRoot()).value(f"{folder}/dm/name")
    return f"{name} ({folder.name})" if name else folder.name
