"""Whether irqbalance moves interrupts about: as a systemd service, for as long as this boot lasts."""

from __future__ import annotations

import shutil
import subprocess
from typing import Protocol

from dtn_agent.tuning.setting import Setting, one_of

SERVICE = "irqbalance.service"
SECONDS = 30


class Services(Protocol):
    """What is needed of the host's services. OSError is its no."""

    def is_active(self, name: str) -> bool: ...

    def allow(self, name: str) -> None:
        """It may run again, and runs."""

    def forbid(self, name: str) -> None:
        """It stops and is not started until the next boot, by nobody."""


class Systemd:
    """The host's systemd. Masked in /run only: a service that starts later in the boot than we do would come back else."""

    def is_active(self, name: str) -> bool:
        return shutil.which("systemctl") is not None and self._run("is-active", "--quiet", name).returncode == 0

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
        return subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)


class Irqbalance(Setting):
    """`on` or `off`; a host without it is off."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def read(self) -> str | None:
        return "on" if self.services.is_active(SERVICE) else "off"

    def normal(self, value: str) -> str:
        return one_of(value, ("on", "off"))

    def write(self, value: str) -> None:
        if value == self.read():
            return  # nothing to stop where there is none
        (self.services.allow if value == "on" else self.services.forbid)(SERVICE)
