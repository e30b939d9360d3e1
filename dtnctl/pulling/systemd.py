"""What the loop reports to systemd: ready, alive, at its end; and the unit that starts the loop. Source: sd_notify(3)."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

UNIT = Path(__file__).with_name("dtnctl-reconcile.service")


@dataclass(frozen=True, slots=True)
class Notifier:
    """`address` is the socket of NOTIFY_SOCKET; empty without one."""

    address: str = ""

    def send(self, *lines: str) -> None:
        """Best effort: a service manager that is gone changes nothing here."""
        if not self.address:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
            connection.sendto("\n".join(lines).encode(), address)


def notifier_of(environment: Mapping[str, str]) -> Notifier:
    """For the service manager that started this process, if one did."""
    return Notifier(environment.get("NOTIFY_SOCKET", ""))


def unit_text(program: str) -> str:
    """The unit, with the path of this dtnctl."""
    return UNIT.read_text(encoding="utf-8").replace("@PROGRAM@", program)
