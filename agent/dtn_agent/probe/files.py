"""Reads the files in which a kernel shows its host. A file that is absent or that the kernel refuses to show is None, never an error.

Paths are plain texts: a facts call reads many hundred files, and pathlib would cost more than reading them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 16
PCI_FUNCTION = re.compile(r"^(.*/([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]))(?:/|$)")


@dataclass(frozen=True, slots=True)
class HostRoot:
    """Where a host's kernel shows itself; other folders than its own show a host that we do not run on. `state` is the agent's own."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    dev: Path = Path("/dev")
    run: Path = Path("/run")
    etc: Path = Path("/etc")
    modules: Path = Path("/lib/modules")
    state: Path = Path("/var/lib/dtn-agent")

    @property
    def is_real(self) -> bool:
        """The host that we run on, whose kernel can be asked by calls, too."""
        return self == HostRoot(state=self.state)


class Files:
    """The files of one host. Nothing is kept: each call reads."""

    def __init__(self, root: HostRoot) -> None:
        self.sys, self.proc, self.dev, self.run = str(root.sys), str(root.proc), str(root.dev), str(root.run)
        self.etc, self.modules, self.state = str(root.etc), str(root.modules), str(root.state)

    def content(self, path: str) -> bytes | None:
        """All bytes of the file."""
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return _all_of(file)
        except OSError:  # EINVAL for the speed of a link that is down, ENODEV for what goes away
            return None
        finally:
            os.close(file)

    def start(self, path: str, size: int) -> bytes:
        """The first `size` bytes: files of devices cost by the byte."""
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            return os.read(file, size)
        except OSError:
            return b""
        finally:
            os.close(file)

    def names(self, path: str) -> list[str]:
        """The names in the folder, sorted; none where there is no such folder."""
        try:
            return sorted(os.listdir(path))  # noqa: PTH208  # paths are texts here
        except OSError:
            return []

    def target(self, path: str) -> str:
        """What the link says; empty where there is no such link."""
        try:
            return os.readlink(path)  # noqa: PTH115  # paths are texts here
        except OSError:
            return ""

    def exists(self, path: str) -> bool:
        return os.access(path, os.F_OK)

    def text(self, path: str) -> str | None:
        """The content without the space around it."""
        content = self.content(path)
        return None if content is None else content.decode(errors="replace").strip()

    def value(self, path: str) -> str:
        """The same where absent and empty mean the same."""
        return self.text(path) or ""

    def number(self, path: str) -> int | None:
        """The whole number; None for text that is none, such as `Unknown`."""
        text = self.text(path)
        try:
            return None if text is None else int(text, 0)
        except ValueError:
            return None

    def positive(self, path: str) -> int | None:
        """The number, where the kernel writes -1 for unknown (numa_node, speed)."""
        number = self.number(path)
        return number if number is not None and number >= 0 else None

    def flag(self, path: str) -> bool | None:
        """True for `1` and `Y`, False for `0` and `N`."""
        return {"1": True, "Y": True, "0": False, "N": False}.get(self.value(path))

    def link(self, path: str) -> str:
        """The name that the link points to: a driver, a device."""
        return self.target(path).rpartition("/")[2]

    def choice(self, path: str) -> tuple[str | None, tuple[str, ...]]:
        """`[none] mq-deadline` is the active choice and all of them; a file without brackets has only one."""
        words = self.value(path).split()
        active = next((word[1:-1] for word in words if word.startswith("[")), words[0] if len(words) == 1 else None)
        return active, tuple(word.strip("[]") for word in words)

    def function(self, path: str) -> PciFunction | None:
        """The PCI function in which this device of a class or block folder is; None for virtual ones. One link is read."""
        return self.function_in(self.target(path))

    def function_in(self, target: str) -> PciFunction | None:
        """The same of a link that was read."""
        found = PCI_FUNCTION.match(target)
        return PciFunction(found[2], f"{self.sys}/{found[1].lstrip('./')}") if found else None


@dataclass(frozen=True, slots=True)
class PciFunction:
    """A PCI address, and the function's folder below `devices/`."""

    address: str
    path: str

    @property
    def port(self) -> str:
        """The folder of the port above; empty for a function of the root complex itself."""
        above = self.path.rpartition("/")[0]
        found = PCI_FUNCTION.match(above)
        return above if found and found[1] == above else ""


def _all_of(file: int) -> bytes:
    """Read to the end: files of procfs come in pieces of whole lines, so a short piece says nothing."""
    content = os.read(file, CHUNK)
    while part := os.read(file, CHUNK):
        content += part
    return content
