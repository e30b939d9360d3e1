"""The kernel's targets (nvmet) as a folder with its rules: what each new folder has in it, what may be written when, what keeps what.

Read from drivers/nvme/target/configfs.c and fs/configfs of Linux 6.12, and tried on the guests by tests/hardware/test_volume_sessions.py.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from pathlib import Path

from dtn_agent.nvmeof.configfs import Configfs

SUBSYSTEM = re.compile(r"subsystems/[^/]+")
NAMESPACE = re.compile(r"subsystems/[^/]+/namespaces/\d+")
PORT = re.compile(r"ports/\d+")
HOST = re.compile(r"hosts/[^/]+")
FILES = {
    SUBSYSTEM: {"attr_allow_any_host": "0", "attr_serial": "1f2e3d4c5b6a", "attr_model": "Linux"},
    NAMESPACE: {"device_path": "(null)", "device_uuid": "5b1d6a0e-4f0a-4a8e-9d0f-3f7a3f0f9a11", "enable": "0"},
    PORT: {"addr_trtype": "", "addr_adrfam": "", "addr_traddr": "", "addr_trsvcid": ""},
    HOST: {"dhchap_key": "", "dhchap_ctrl_key": ""},
}
FOLDERS = {SUBSYSTEM: ("allowed_hosts", "namespaces"), PORT: ("subsystems", "referrals")}
KEY = re.compile(r"DHHC-1:0[0-3]:[A-Za-z0-9+/=]+:")


class KernelTargets(Configfs):
    """`addresses` are those of the host; `has_keys`: the kernel was built with in-band authentication. `unlinked`: so far."""

    def __init__(self, root: Path, addresses: tuple[str, ...] = ("10.0.0.1", "10.0.0.2", "fd00::1"), *, has_keys: bool = True) -> None:
        super().__init__(root)
        self.addresses = addresses
        self.has_keys = has_keys
        self.unlinked: list[str] = []
        for name in ("hosts", "ports", "subsystems"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def make(self, path: str) -> None:
        """With all that is in it at once."""
        if self.exists(path):
            raise refused(errno.EEXIST, path)
        new = Path(tempfile.mkdtemp(dir=self.root.parent))
        for pattern, files in FILES.items():
            if pattern.fullmatch(path) and (self.has_keys or pattern is not HOST):
                for name, text in files.items():
                    (new / name).write_text(f"{text}\n")
                for name in FOLDERS.get(pattern, ()):
                    (new / name).mkdir()
        new.rename(self.root / path)

    def write(self, path: str, text: str) -> None:
        folder, _, name = path.rpartition("/")
        if PORT.fullmatch(folder) and self.names(f"{folder}/subsystems"):
            raise refused(errno.EACCES, path)
        if name in ("device_path", "device_uuid") and self.read(f"{folder}/enable") == "1":
            raise refused(errno.EBUSY, path)
        if name == "enable" and text == "1" and not Path(self.read(f"{folder}/device_path")).exists():
            raise refused(errno.ENOENT, path)
        if name.startswith("dhchap") and (self.root / path).exists() and not KEY.fullmatch(text):
            raise refused(errno.EINVAL, path)
        file = os.open(self.root / path, os.O_WRONLY | os.O_TRUNC)
        os.write(file, f"{text}\n".encode())
        os.close(file)

    def remove(self, path: str) -> None:
        if any(self.names(f"{path}/{name}") for name in ("allowed_hosts", "namespaces", "subsystems")):
            raise refused(errno.ENOTEMPTY, path)
        if any(link.readlink() == self.root / path for link in self.links()):
            raise refused(errno.EBUSY, path)
        gone = self.root.with_name("gone")  # at once, as the kernel does it
        (self.root / path).rename(gone)
        shutil.rmtree(gone)

    def link(self, path: str, target: str) -> None:
        if not self.exists(target):
            raise refused(errno.ENOENT, path)
        folder, _, name = path.rpartition("/")
        if folder.startswith("ports/") and name:
            self._listen(folder.removesuffix("/subsystems"), path)
        super().link(path, target)

    def unlink(self, path: str) -> None:
        self.unlinked.append(path)
        super().unlink(path)

    def _listen(self, port: str, path: str) -> None:
        place = self.place(port)
        if not all(place):
            raise refused(errno.EINVAL, path)
        if place[1] not in (*self.addresses, "0.0.0.0"):
            raise refused(errno.EADDRNOTAVAIL, path)
        others = (other for other in (f"ports/{number}" for number in self.names("ports")) if other != port)
        if any(self.place(other) == place and self.names(f"{other}/subsystems") for other in others):
            raise refused(errno.EADDRINUSE, path)

    def place(self, port: str) -> tuple[str, ...]:
        return tuple(self.read(f"{port}/addr_{name}") for name in ("trtype", "traddr", "trsvcid", "adrfam"))

    def links(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.is_symlink()]

    def everything(self) -> dict[str, str]:
        """All files and links of the tree, to be compared."""
        found = sorted(self.root.rglob("*"))
        return {str(path.relative_to(self.root)): str(path.readlink()) if path.is_symlink() else _text(path) for path in found}


def _text(path: Path) -> str:
    return path.read_text().strip() if path.is_file() else ""


def refused(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
