"""Who uses a device or a mount: processes of the host and of containers, by the files of /proc. Nothing here touches the device."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from dtn_agent.cgroups import container_of
from dtn_agent.probe.mounts import read_mounts

# file systems that ask a server, or a process, even for the kind of a file
ASKING = frozenset({"9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse", "fuseblk", "gfs2", "glusterfs", "gpfs", "lustre", "mmfs"})
ASKING |= {"ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "virtiofs", "wekafs"}


@dataclass(frozen=True, slots=True)
class Users:
    """Of one host."""

    proc: Path = Path("/proc")

    def of_mount(self, path: str, number: str) -> list[str]:
        """Who keeps what is mounted at this path, of the device with this number, from being unmounted."""
        return sorted({*self._elsewhere(path, number), *self._inside(path)})

    def of_remains(self, path: str, numbers: Collection[str]) -> list[str]:
        """Who still has mounted what is left of devices that are gone, at another place than this."""
        return sorted({user for number in numbers for user in self._elsewhere(path, number)})

    def of_device(self, number: str) -> list[str]:
        """Who has it mounted, or open."""
        return sorted({*self._elsewhere("", number), *self._opened(number)})

    def of_unmount(self, path: str) -> list[str]:
        """Programs that unmount this path and have not ended: the kernel still writes for them."""
        commands = ((pid, _text(self.proc / pid / "cmdline").split("\0")) for pid in self._processes())
        return sorted(self._title(pid) for pid, words in commands if words[0].rpartition("/")[2] == "umount" and path in words)

    def _elsewhere(self, path: str, number: str) -> Iterator[str]:
        """Who has it mounted at another place, such as a container at the target of its volume."""
        seen = set[str]()
        for pid in self._processes():
            namespace = _link(self.proc / pid / "ns/mnt")
            if namespace in seen:
                continue
            seen.add(namespace)
            places = [mount.target for mount in read_mounts(_text(self.proc / pid / "mountinfo")) if mount.number == number]
            if any(place != path for place in places):
                yield self._title(pid)

    def _inside(self, path: str) -> Iterator[str]:
        """Processes with a file or folder of it open, as their paths say."""
        for pid in self._processes():
            folder = self.proc / pid
            files = (_link(folder / "fd" / name) for name in _names(folder / "fd"))
            if any(_is_below(found, path) for found in (*files, *(_link(folder / name) for name in ("cwd", "root", "exe")))):
                yield self._title(pid)

    def _opened(self, number: str) -> Iterator[str]:
        for pid in self._processes():
            if any(number == _number(path) for path in self._files_here(self.proc / pid)):
                yield self._title(pid)

    def _files_here(self, process: Path) -> Iterator[Path]:
        """Its open files, but those that a server or another process has to be asked about: one that is gone never answers."""
        distant: set[str] | None = None
        for name in _names(process / "fd"):
            found = _link(process / "fd" / name)
            if not found.startswith("/"):
                continue  # a socket, a pipe
            if distant is None:
                distant = set(_distant_mounts(_text(process / "mountinfo")))
            if not distant or _mount_of(_text(process / "fdinfo" / name)) not in distant:
                yield process / "fd" / name

    def _processes(self) -> list[str]:
        return [name for name in _names(self.proc) if name.isdecimal() and name != str(os.getpid())]

    def _title(self, pid: str) -> str:
        container = container_of(_text(self.proc / pid / "cgroup"))
        name = _text(self.proc / pid / "comm").strip() or "a process"
        return f"container {container[:12]}" if container else f"{name} (process {pid})"


def _is_below(found: str, path: str) -> bool:
    return found == path or found.startswith(f"{path}/")


def _distant_mounts(mountinfo: str) -> Iterator[str]:
    """The ids of mounts that are not asked for the kind of a file. Programs have devices open on other ones."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind = after.partition(" ")[0]
        if kind in ASKING or kind.startswith("fuse."):
            yield before.partition(" ")[0]


def _mount_of(fdinfo: str) -> str:
    """The id of the mount on which an open file is."""
    return next((line.split()[1] for line in fdinfo.splitlines() if line.startswith("mnt_id:")), "")


def _number(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}" if stat.S_ISBLK(found.st_mode) else ""


def _names(path: Path) -> list[str]:
    try:
        return os.listdir(path)  # noqa: PTH208  # names are what is wanted
    except OSError:
        return []


def _link(path: Path) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  # a text is wanted
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
