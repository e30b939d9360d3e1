"""A machine with Debian's base system, git and make, and nothing else: a folder with a root, mounts and processes of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from lab.images import base_system
from lab.layout import CLONE, default_cache

# how this machine's own package clients are set up, if they are: the bare one reaches the same registries in the same way
CLIENT_SETTINGS = (
    *("/etc/apt/apt.conf.d", "/etc/pip.conf", "/etc/resolv.conf", "/etc/hosts"),
    *("/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"),
)
CLIENT_VARIABLES = (
    "PIP_",
    "SSL_",
    "CURL_CA",
    "REQUESTS_CA",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
FIRST_PACKAGES = "ca-certificates git make"  # of somebody who has a clone and types `make`
PLAIN = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"}
INSTALL = f"apt-get -q=2 update && DEBIAN_FRONTEND=noninteractive apt-get -q=2 install --no-install-recommends --yes {FIRST_PACKAGES}"
ENTER = """
set -e
cd "$0"
mount --bind . .
cd "$0"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount --bind "$1" mnt
pivot_root . .
umount -l .
cd /root
exec bash -c "$2"
"""


class BareMachine:
    """In `folder`. The clone of this repository is in `self.clone`; the lab's images that were made before are there, too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clone = f"/root/{uuid.uuid4().hex[:8]}/dtnctl"  # labs in folders of the same name would meet in the control groups
        self.cache = default_cache()
        subprocess.run(["tar", "-xf", str(base_system(self.cache, lambda _: None)), "-C", str(folder)], check=True)
        for setting in map(Path, CLIENT_SETTINGS):
            self._copy(setting)
        self.expect(INSTALL)
        inside = folder / self.clone.lstrip("/")
        subprocess.run(["git", "clone", "--quiet", str(CLONE), str(inside)], check=True)
        uncommitted = subprocess.run(["git", "-C", str(CLONE), "diff", "--binary", "HEAD"], capture_output=True, check=True).stdout
        subprocess.run(["git", "-C", str(inside), "apply", "--allow-empty"], input=uncommitted, check=True)

    def run(self, script: str, typed: str = "", before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """A bash script on the machine; `typed` is its standard input. What it starts ends with it.

        `before` are the words of a command that brings the machine into another network.
        """
        inherited = {name: value for name, value in os.environ.items() if name.startswith(CLIENT_VARIABLES)}
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", ENTER, str(self.folder), str(self.cache), script]
        return subprocess.run(
            [*before, *enter],
            env=PLAIN | inherited | {"DTN_LAB_CACHE": "/mnt"},
            input=typed,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def expect(self, script: str, typed: str = "", before: Sequence[str] = ()) -> str:
        """Its output, of a script that must end well."""
        ran = self.run(script, typed, before)
        assert ran.returncode == 0, f"exit code {ran.returncode}\n{ran.stdout[-8000:]}"
        return ran.stdout

    def _copy(self, setting: Path) -> None:
        target = self.folder / setting.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if setting.is_dir():
            shutil.copytree(setting, target, symlinks=True, dirs_exist_ok=True)
        elif setting.exists():
            shutil.copy(setting, target)
