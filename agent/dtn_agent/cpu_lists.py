"""Lists of CPUs as the kernel writes and takes them, `0-3,8`. Pure."""

from __future__ import annotations

import re


def cpus_of(text: str) -> tuple[int, ...]:
    """The CPUs of a list as the kernel writes it, `0-3,8`. ValueError if it is none."""
    if not re.fullmatch(r"[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*", text):
        raise ValueError(f"`{text}` is not a list of CPUs; write for example 0-3,8")
    spans = (part.partition("-") for part in text.split(","))
    return tuple(sorted({cpu for first, _, last in spans for cpu in range(int(first), int(last or first) + 1)}))


def cpu_list(cpus: tuple[int, ...]) -> str:
    """The list as the kernel writes it."""
    spans: list[list[int]] = []
    for cpu in cpus:
        if spans and spans[-1][1] == cpu - 1:
            spans[-1][1] = cpu
        else:
            spans.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
