"""Who made a connection, by the registry that nvme-cli 3 keeps: with our name in it, its `disconnect-all` leaves ours alone."""

from __future__ import annotations

import shutil
from pathlib import Path

OURS = "dtnctl"


class OwnerRegistry:
    """A folder for each controller. Another owner's is never written."""

    def __init__(self, run: Path = Path("/run"), sys: Path = Path("/sys")) -> None:
        self.folder = run / "nvme/registry"
        self.sys = sys

    def owner(self, controller: str) -> str:
        """Empty if it has none."""
        return _text(self.folder / controller / "owner")

    def claim(self, controller: str) -> bool:
        """Enter us, the whole entry at once, as its other writers do; whether we were not there."""
        if self.owner(controller) == OURS:
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.folder.parent, self.folder):
            folder.chmod(0o755)  # whatever our umask: everyone may read who owns what
        draft = self.folder / f".{OURS}"
        shutil.rmtree(draft, ignore_errors=True)  # of a crash
        draft.mkdir()
        draft.chmod(0o755)
        # nvme-cli's udev rule removes an entry whose controller went after this event, and no younger one of the same name
        for name, text in (("owner", OURS), ("seqnum", _text(self.sys / "kernel/uevent_seqnum") or "0")):
            (draft / name).write_text(f"{text}\n")
            (draft / name).chmod(0o644)
        shutil.rmtree(self.folder / controller, ignore_errors=True)
        draft.rename(self.folder / controller)
        return True

    def sweep(self) -> None:
        """Remove our entries of controllers that are gone. nvme-cli 3 has udev do that; a host without it has nothing that does."""
        shutil.rmtree(self.folder / f".{OURS}", ignore_errors=True)
        for entry in self.folder.glob("nvme*"):
            if not (self.sys / "class/nvme" / entry.name).exists() and self.owner(entry.name) == OURS:
                shutil.rmtree(entry, ignore_errors=True)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
