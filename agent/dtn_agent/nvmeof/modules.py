"""Has the kernel load what volumes need. The agent may load no modules itself: its host's service manager does it for it."""

from __future__ import annotations

import os
import shutil
from functools import cached_property
from pathlib import Path

from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.limits import run

SECONDS = 30.0
BOOTED = Path("/run/systemd/system")  # there while systemd is what runs the host (sd_booted)


class KernelModules:
    """The modules of the kernel that we run on."""

    def __init__(self, sys: Path = Path("/sys"), booted: Path = BOOTED, modules: Path = Path("/lib/modules")) -> None:
        self.sys = sys
        self.booted = booted
        self.modules = modules

    def need(self, *names: str) -> None:
        """Have these loaded, by their names with underscores. Refused, with what a person can do, if the kernel has them not."""
        missing = [name for name in names if not self._is_loaded(name)]
        if missing:
            self._load(missing)
        lacking = [name for name in missing if not self._is_loaded(name)]
        if lacking:
            words = " ".join(lacking)
            raise RefusedError("unsupported", f"the kernel has not loaded {words}; run `modprobe -a {words}` as root to see why")

    def need_configfs(self) -> None:
        """Have the kernel's settings of targets at their place in the file system."""
        self.need("nvmet")
        if not (self.sys / "kernel/config/nvmet").is_dir():
            mount = ["mount", "-t", "configfs", "configfs", str(self.sys / "kernel/config")]
            self._run(["systemctl", "start", "sys-kernel-config.mount"] if self.booted.is_dir() else mount)
        if not (self.sys / "kernel/config/nvmet").is_dir():
            raise RefusedError("unsupported", "/sys/kernel/config/nvmet is not there: is configfs mounted at /sys/kernel/config?")

    def _is_loaded(self, name: str) -> bool:
        """Built-in ones have no folder of their own if they have no parameters."""
        return (self.sys / "module" / name).is_dir() or f"/{name.replace('_', '-')}.ko" in self._built_in

    @cached_property
    def _built_in(self) -> str:
        try:
            return (self.modules / os.uname().release / "modules.builtin").read_text()
        except OSError:
            return ""

    def _load(self, names: list[str]) -> None:
        if self.booted.is_dir():
            self._run(["systemctl", "restart", *(f"modprobe@{name}.service" for name in names)])
        else:
            self._run(["modprobe", "-a", *names])

    def _run(self, words: list[str]) -> None:
        """What comes of it is seen in the kernel's files."""
        if shutil.which(words[0]) is not None:
            run(words, SECONDS)
