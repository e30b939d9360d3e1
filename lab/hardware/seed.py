"""The small disk that each guest finds its keys and the agent on; made anew at each start, so the root image has no secrets."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from lab.hardware.places import Guest
from lab.layout import LabError

FILES = ("hostkey", "hostkey.pub", "authorized_keys", "ca.pem", "cert.pem", "key.pem")
SIZE = "32M"


def write_seed(guest: Guest, wheel: Path) -> None:
    """Make the guest's seed disk of the keys in its folder and the agent's wheel."""
    content = guest.folder / "seed"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    for name in FILES:
        shutil.copy(guest.folder / name, content / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--no-index"]
    _run([*pip, "--target", str(content / "agent"), str(wheel)])
    disk = guest.folder / "seed.ext4"
    disk.unlink(missing_ok=True)
    _run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "seed", "-E", "root_owner=0:0", "-d", str(content), str(disk), SIZE])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"the guest's seed disk: {' '.join(command[:4])}: {done.stderr.strip()[-1000:]}")
