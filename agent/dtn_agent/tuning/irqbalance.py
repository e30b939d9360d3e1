"""Whether irqbalance moves interrupts about: as a systemd service, for as long as this boot lasts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from dtn_agent.tuning.setting import Setting, one_of

SERVICE = "irqbalance.service"
BOOTED = Path("/run/systemd/system")  # there while systemd is what runs the host (sd_booted)
NO_SYSTEMD = "there is no systemd here that could be asked for services; the agent runs in a container, or the host has none"
INACTIVE = (3, 4)  # exit codes of is-active; 4: no such unit. Others: it could not be asked
SECONDS = 30


class Services(Protocol):
    """What is needed of the host's services. OSError is its no."""

    def is_active(self, name: str) -> bool | None:
        """None: there is no service manager to ask."""

    def allow(self, name: str) -> None:
        """It may run again, and runs."""

    def forbid(self, name: str) -> None:
        """It stops, and no process can start it until the next boot."""


class Systemd:
    """The host's systemd. Masked in /run only: a service that starts later in the boot than we do would come back else."""

    def __init__(self, booted: Path = BOOTED) -> None:
        self.booted = booted

    def is_active(self, name: str) -> bool | None:
        try:
            code = self._run("is-active", "--quiet", name).returncode
        except OSError:
            return None
        return True if code == 0 else False if code in INACTIVE else None

    def allow(self, name: str) -> None:
        self._must("unmask", "--runtime", name)
        self._must("start", name)

    def forbid(self, name: str) -> None:
        self._must("mask", "--runtime", "--now", name)

    def _must(self, *arguments: str) -> None:
        ran = self._run(*arguments)
        if ran.returncode != 0:
            raise OSError(ran.stderr.strip() or f"systemctl {' '.join(arguments)} failed")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """OSError without systemd, or when that does not answer. In a chroot systemctl does nothing, and reports success."""
        if not self.booted.is_dir() or shutil.which("systemctl") is None:
            raise OSError(NO_SYSTEMD)
        try:
            return subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise OSError(f"systemctl {' '.join(arguments)} did not end in {SECONDS} s") from None


class Irqbalance(Setting):
    """`on` or `off`; a host without it is off. Not known where there is no systemd to ask."""

    absence = NO_SYSTEMD

    def __init__(self, services: Services) -> None:
        self.services = services

    def read(self) -> str | None:
        is_active = self.services.is_active(SERVICE)
        return None if is_active is None else "on" if is_active else "off"

    def normal(self, value: str) -> str:
        return one_of(value, ("on", "off"))

    def write(self, value: str) -> None:
        if value == self.read():
            return  # nothing to stop where there is none
        (self.services.allow if value == "on" else self.services.forbid)(SERVICE)
