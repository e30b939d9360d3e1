"""Kernel parameters of `/proc/sys`, of this host's own network namespace."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

from dtn_agent.protocol.tuning import TUNABLE_SYSCTLS
from dtn_agent.tuning.setting import Root, Setting, text_of

_NAME = re.compile(r"^[a-z0-9_]+([./][A-Za-z0-9_:@./-]+)+$")
_VALUE = re.compile(r"^[A-Za-z0-9_.,:+-]+( [A-Za-z0-9_.,:+-]+)*$")


class Sysctl(Setting):
    """One parameter by its dotted name; a dot in an interface's name is written as a slash, as sysctl(8) has it."""

    def __init__(self, root: Root, name: str) -> None:
        self.name = name
        self.path = sysctl_path(root.proc, name)

    def read(self) -> str | None:
        return text_of(self.path)

    def normal(self, value: str) -> str:
        text = re.sub(r"[ \t]+", " ", value.strip(" \t"))
        if not _VALUE.fullmatch(text):
            raise ValueError(f"`{value}` is not a value of a sysctl: letters, digits and _.,:+- in words")
        return text

    def write(self, value: str) -> None:
        """One write call of the whole value: the kernel takes the first one only."""
        try:
            self.path.write_text(f"{value}\n")
        except FileNotFoundError:  # the kernel's way to say that it has nothing of this name to switch to
            available = text_of(self.path.with_name("tcp_available_congestion_control"))
            raise OSError(f"it has no `{value}`, only {available}" if "congestion" in self.name else f"it has no `{value}`") from None


def sysctl_path(proc: Path, name: str) -> Path:
    """The parameter's file. ValueError for what is no name, and for parameters that data transfer has no use for.

    Some of the others would run programs as root (kernel.core_pattern, kernel.modprobe), or take the host's guards down.
    """
    parts = name.translate({ord("."): "/", ord("/"): "."}).split("/")
    if not _NAME.fullmatch(name) or any(set(part) <= {"."} for part in parts):
        raise ValueError(f"`{name}` is not the name of a sysctl; write for example net.ipv4.tcp_rmem")
    if not any(fnmatchcase(name, pattern) for pattern in TUNABLE_SYSCTLS):
        raise ValueError(f"{name} is none of the sysctls that the agent sets: {', '.join(TUNABLE_SYSCTLS)}")
    return proc.joinpath("sys", *parts)
