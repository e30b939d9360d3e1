"""What the engine refuses before it makes a container, as far as a mistake of dtnctl could ask for it: CPUs that are not there."""

from __future__ import annotations

import re
import signal

from tests.fakes.errors import bad_request
from tests.fakes.machine import Machine
from tests.fakes.state import Json


def signal_number(name: str) -> int:
    """A signal by name, with or without SIG."""
    return int(signal.Signals[f"SIG{name.upper().removeprefix('SIG')}"])


def check_resources(given: Json, machine: Machine) -> None:
    """Refuse with 400 processors and memory nodes that the machine does not have."""
    _check_set(given.get("CpusetCpus") or "", machine.cpus, "CPUs")
    _check_set(given.get("CpusetMems") or "", machine.memory_nodes, "memory nodes")
    if (given.get("NanoCpus") or 0) > machine.cpus * 10**9:
        available = f"as there are only {machine.cpus} CPUs available"
        raise bad_request(f"Range of CPUs is from 0.01 to {machine.cpus}.00, {available}")


def _check_set(text: str, available: int, what: str) -> None:
    highest = max((int(number) for number in re.findall(r"\d+", text)), default=-1)
    if highest >= available:
        have = "0" if available == 1 else f"0-{available - 1}"
        raise bad_request(f"Requested {what} are not available - requested {text}, available: {have}")
