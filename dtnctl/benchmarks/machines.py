"""What a table of figures must say of the machines that it was made on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Run in a container: kernel, CPUs and memory are the host's there, too.
DESCRIBE = (
    "echo kernel=$(uname -sr); echo cpus=$(grep -c '^processor' /proc/cpuinfo);"
    " echo model=$(grep -m 1 'model name' /proc/cpuinfo | cut -d: -f2-);"
    " echo memory=$(grep MemTotal /proc/meminfo | tr -dc 0-9); echo boot=$(cat /proc/sys/kernel/random/boot_id);"
    " echo load=$(cut -d ' ' -f 1 /proc/loadavg);"
    " echo program=$({program} --version 2>&1 | head -n 1)"
)


@dataclass(frozen=True, slots=True)
class Machine:
    """One endpoint's host. `memory` in bytes; `nics` as "eth1: driver, 100 Gb/s, MTU 9000", only where an agent reports them.

    `load` is the load average of its last minute, when the first row stood: of an idle machine it is near 0.
    `boot` is the id of the kernel's boot: two endpoints that show the same one share a machine. `program` is the tool's version.
    """

    endpoint: str
    engine: str
    kernel: str = ""
    model: str = ""
    cpus: int = 0
    memory: int = 0
    boot: str = ""
    program: str = ""
    load: str = ""
    nics: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it in one line."""
        cpu = f"{self.cpus} CPU{'s' * (self.cpus != 1)}" + (f" ({self.model})" if self.model else "")
        load = f"load average {self.load}" if self.load else ""
        known = (cpu, f"{self.memory / 2**30:.1f} GiB", self.kernel, f"engine {self.engine}", self.program, *self.nics, load)
        return ", ".join(item for item in known if item)


def describe_script(program: str) -> str:
    """A shell script that prints what `read_machine` reads, with the version of the program."""
    return DESCRIBE.format(program=program)


def read_machine(endpoint: str, engine: str, printed: str, nics: tuple[str, ...] = ()) -> Machine:
    """The machine that the script's output describes; what it did not print stays unknown."""
    found: Mapping[str, str] = dict(line.partition("=")[::2] for line in printed.splitlines() if "=" in line)
    return Machine(
        endpoint=endpoint,
        engine=engine,
        kernel=found.get("kernel", ""),
        model=" ".join(found.get("model", "").split()),
        cpus=_whole(found.get("cpus", "")),
        memory=_whole(found.get("memory", "")) * 1024,
        boot=found.get("boot", ""),
        program=" ".join(found.get("program", "").split()),
        nics=nics,
        load=found.get("load", ""),
    )


def share_a_machine(machines: tuple[Machine, ...]) -> bool:
    """Whether two of them are one host."""
    boots = [machine.boot for machine in machines if machine.boot]
    return len(set(boots)) < len(boots)


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0
