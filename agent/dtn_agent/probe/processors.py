"""Processors, their NUMA nodes, power settings and memory."""

from __future__ import annotations

import re

from dtn_agent.cpu_lists import cpus_of
from dtn_agent.probe.files import Files
from dtn_agent.protocol import Cpus, HugePages, IdleState, Memory, NumaNode

MODEL_WORDS = ("model name", "cpu model", "Processor")  # x86, mips, old arm; new arm kernels show none
NODE = re.compile(r"node(\d+)")
POOL = re.compile(r"hugepages-(\d+)kB")


def cpus(files: Files) -> Cpus:
    """What the kernel reports of its processors; files that virtual machines lack leave their fields None or empty."""
    folder = f"{files.sys}/devices/system/cpu"
    online = files.value(f"{folder}/online")
    numbers = cpus_of(online) if online else ()
    sockets, cores = _topology(files, folder, numbers)
    return Cpus(
        model=_model(files),
        sockets=sockets,
        cores=cores,
        logical=len(numbers),
        online=online,
        isolated=files.value(f"{folder}/isolated"),
        smt=files.flag(f"{folder}/smt/active"),
        turbo=_turbo(files, folder),
        governors=_governors(files, folder),
        idle_states=_idle_states(files, folder, numbers),
        numa=_numa(files),
    )


def memory(files: Files) -> Memory:
    amounts = _amounts(files, f"{files.proc}/meminfo")
    return Memory(total=amounts.get("MemTotal", 0), available=amounts.get("MemAvailable", 0))


def _model(files: Files) -> str | None:
    first = files.value(f"{files.proc}/cpuinfo").partition("\n\n")[0]
    said = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
    return next((said[word] for word in MODEL_WORDS if said.get(word)), None)


def _topology(files: Files, folder: str, numbers: tuple[int, ...]) -> tuple[int | None, int | None]:
    """Sockets and cores. One file lists all CPUs of a core or socket, so the others' are not read.

    By their old names, which kernels of all ages have.
    """
    counts = []
    for name in ("core_siblings_list", "thread_siblings_list"):
        seen: set[int] = set()
        count = 0
        for number in numbers:
            if number in seen:
                continue
            siblings = files.text(f"{folder}/cpu{number}/topology/{name}")
            if siblings is None:
                return None, None
            seen.update(cpus_of(siblings))
            count += 1
        counts.append(count or None)
    return counts[0], counts[1]


def _turbo(files: Files, folder: str) -> bool | None:
    """Intel's driver reports whether it is off, the others whether it is on."""
    off = files.flag(f"{folder}/intel_pstate/no_turbo")
    return files.flag(f"{folder}/cpufreq/boost") if off is None else not off


def _governors(files: Files, folder: str) -> tuple[str, ...]:
    policies = (name for name in files.names(f"{folder}/cpufreq") if name.startswith("policy"))
    found = {files.value(f"{folder}/cpufreq/{name}/scaling_governor") for name in policies}
    return tuple(sorted(found - {""}))


def _idle_states(files: Files, folder: str, numbers: tuple[int, ...]) -> tuple[IdleState, ...]:
    """The states of the first CPU; whether one is disabled is reported for each CPU."""
    if not numbers:
        return ()
    states = []
    for name in files.names(f"{folder}/cpu{numbers[0]}/cpuidle"):
        first = f"{folder}/cpu{numbers[0]}/cpuidle/{name}"
        disabled = any(files.flag(f"{folder}/cpu{number}/cpuidle/{name}/disable") for number in numbers)
        states.append(IdleState(name=files.value(f"{first}/name"), latency=files.number(f"{first}/latency"), disabled=disabled))
    return tuple(states)


def _numa(files: Files) -> tuple[NumaNode, ...]:
    folder = f"{files.sys}/devices/system/node"
    found = sorted(int(match[1]) for match in map(NODE.fullmatch, files.names(folder)) if match)
    return tuple(_node(files, f"{folder}/node{number}", number) for number in found)


def _node(files: Files, folder: str, number: int) -> NumaNode:
    amounts = _amounts(files, f"{folder}/meminfo")
    return NumaNode(
        node=number,
        cpus=files.value(f"{folder}/cpulist"),
        memory=amounts.get("MemTotal"),
        memory_free=amounts.get("MemFree"),
        distances=tuple(int(word) for word in files.value(f"{folder}/distance").split()),
        huge_pages=_huge_pages(files, f"{folder}/hugepages"),
    )


def _huge_pages(files: Files, folder: str) -> tuple[HugePages, ...]:
    sizes = sorted(int(match[1]) for match in map(POOL.fullmatch, files.names(folder)) if match)
    return tuple(
        HugePages(
            size=size * 1024,
            total=files.number(f"{folder}/hugepages-{size}kB/nr_hugepages") or 0,
            free=files.number(f"{folder}/hugepages-{size}kB/free_hugepages") or 0,
        )
        for size in sizes
    )


def _amounts(files: Files, path: str) -> dict[str, int]:
    """Amounts of memory by name, in bytes: `MemTotal: 16 kB`, with `Node 0` before it in a node's file."""
    lines = (line.partition(":") for line in files.value(path).splitlines())
    return {name.split()[-1]: int(value.split()[0]) * 1024 for name, _, value in lines if value.strip().endswith("kB")}
