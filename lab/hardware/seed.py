"""The small disk that each guest finds its keys on: the root image has no secrets, and all guests share it."""

from __future__ import annotations

import shutil
import subprocess

from lab.hardware.places import Guest
from lab.layout import LabError

FILES = ("hostkey", "hostkey.pub", "authorized_keys", "ca.pem", "cert.pem", "key.pem")
SIZE = "4M"


def write_seed(guest: Guest) -> None:
    """Make the guest's seed disk of the keys in its folder."""
    content = guest.folder / "seed"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    for name in FILES:
        shutil.copy(guest.folder / name, content / name)
    disk = guest.folder / "seed.ext4"
    disk.unlink(missing_ok=True)
    _run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "seed", "-E", "root_owner=0:0", "-d", str(content), str(disk), SIZE])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"the guest's seed disk: {' '.join(command[:4])}: {done.stderr.strip()[-1000:]}")
