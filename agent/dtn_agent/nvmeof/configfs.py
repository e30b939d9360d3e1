"""The kernel's settings of NVMe targets (nvmet), as the files and folders of configfs: seven verbs, each one call."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path("/sys/kernel/config/nvmet")


class Configfs:
    """Paths are below `root`. Whatever the kernel refuses is an OSError."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root

    def exists(self, path: str) -> bool:
        return os.path.lexists(self.root / path)

    def names(self, path: str) -> tuple[str, ...]:
        """What is in the folder, sorted; nothing where there is none."""
        try:
            return tuple(sorted(os.listdir(self.root / path)))  # noqa: PTH208  # names are what is wanted
        except FileNotFoundError:
            return ()

    def read(self, path: str) -> str:
        """Empty where there is no such file."""
        try:
            return (self.root / path).read_text().strip()
        except FileNotFoundError:
            return ""

    def write(self, path: str, text: str) -> None:
        """In one call, as the kernel wants it. A file that is not there is not made."""
        file = os.open(self.root / path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)

    def hide(self, path: str) -> None:
        """Have only root read it: the kernel shows keys to every user of the host."""
        (self.root / path).chmod(0o600)

    def make(self, path: str) -> None:
        (self.root / path).mkdir()

    def remove(self, path: str) -> None:
        (self.root / path).rmdir()

    def link(self, path: str, target: str) -> None:
        (self.root / path).symlink_to(self.root / target)

    def unlink(self, path: str) -> None:
        (self.root / path).unlink()

    # --- of these, until it is so ---

    def have(self, path: str) -> bool:
        """A folder; whether it was made now."""
        if self.exists(path):
            return False
        self.make(path)
        return True

    def set(self, path: str, text: str) -> bool:
        """A file's content; whether it was another."""
        if self.read(path) == text:
            return False
        self.write(path, text)
        return True

    def have_link(self, path: str, target: str) -> bool:
        if self.exists(path):
            return False
        self.link(path, target)
        return True

    def have_no_link(self, path: str) -> bool:
        if not self.exists(path):
            return False
        self.unlink(path)
        return True

    def have_none(self, path: str) -> bool:
        if not self.exists(path):
            return False
        self.remove(path)
        return True
