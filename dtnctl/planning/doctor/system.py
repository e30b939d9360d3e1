"""Rules of the host itself: CPUs, power saving, memory, clock, engine. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.findings import Finding
from dtnctl.model.versions import version_of
from dtnctl.planning.doctor.examined import Examined
from dtnctl.planning.doctor.judging import judge, on_or_off, tuning

LONGEST_WAKE_UP = 10  # microseconds
GOVERNOR = "performance"


def judge_system(examined: Examined) -> Iterator[Finding]:
    """CPUs first, then the rest."""
    yield from _cpus(examined)
    yield from _kernel(examined)
    yield _clock(examined)
    yield _engine(examined)


def _cpus(examined: Examined) -> Iterator[Finding]:
    cpus, place = examined.facts.cpus, examined.place
    yield judge(
        "cpu.governor",
        "",
        set(cpus.governors) == {GOVERNOR} if cpus.governors else None,
        expected=GOVERNOR,
        actual=", ".join(cpus.governors),
        fix=tuning("governor", GOVERNOR),
        place=place,
    )
    yield judge(
        "cpu.turbo",
        "",
        cpus.turbo,
        expected="on",
        actual=on_or_off(cpus.turbo),
        fix="in the BIOS, or 0 into /sys/devices/system/cpu/intel_pstate/no_turbo",
        place=place,
    )
    yield _idle_states(examined)
    yield judge(
        "cpu.smt",
        "",
        None if cpus.smt is None else not cpus.smt,
        expected="off",
        actual=on_or_off(cpus.smt),
        fix=tuning("smt", "off"),
        place=place,
    )


def _idle_states(examined: Examined) -> Finding:
    cpus = examined.facts.cpus
    used = [state for state in cpus.idle_states if not state.disabled]
    slow = [state for state in used if state.latency is not None and state.latency > LONGEST_WAKE_UP]
    is_known = bool(slow) or (bool(cpus.idle_states) and all(state.latency is not None for state in used))
    return judge(
        "cpu.idle_states",
        "",
        not slow if is_known else None,
        expected=f"none slower than {LONGEST_WAKE_UP} µs",
        actual=", ".join(f"{state.name} {state.latency} µs" for state in slow) or "none",
        fix="`tuned-adm profile network-latency`, or intel_idle.max_cstate=1 on the kernel's command line",
        place=examined.place,
    )


def _kernel(examined: Examined) -> Iterator[Finding]:
    system, place = examined.facts.system, examined.place
    yield judge(
        "host.iommu",
        "",
        None if system.iommu is None else system.iommu != "translated",
        expected="passthrough or off",
        actual=system.iommu,
        fix="iommu=pt on the kernel's command line, and a reboot",
        place=place,
    )
    yield judge(
        "host.irqbalance",
        "",
        None if system.irqbalance is None else not system.irqbalance,
        expected="not running",
        actual="running" if system.irqbalance else "not running",
        fix=tuning("irqbalance", "off"),
        place=place,
    )
    yield judge(
        "host.aspm",
        "",
        system.aspm == "performance" if system.aspm else None,
        expected="performance",
        actual=system.aspm,
        fix="pcie_aspm.policy=performance on the kernel's command line",
        place=place,
    )
    yield judge(
        "host.huge_pages",
        "",
        system.huge_pages in ("madvise", "always") if system.huge_pages else None,
        expected="madvise or always",
        actual=system.huge_pages,
        fix=tuning("huge_pages", "madvise"),
        place=place,
    )


def _clock(examined: Examined) -> Finding:
    synchronized = examined.facts.system.clock_synchronized
    return judge(
        "host.clock",
        "",
        synchronized,
        expected="synchronised",
        actual="synchronised" if synchronized else "not synchronised",
        fix="chrony or systemd-timesyncd, running and with a server that answers",
        place=examined.place,
    )


def _engine(examined: Examined) -> Finding:
    version = version_of(examined.seen.engine_version)
    oldest = examined.endpoint.value.backend(examined.seen.backend).oldest
    return judge(
        "host.engine",
        "",
        version >= oldest if any(version) else None,
        expected=f"{oldest[0]}.{oldest[1]} or newer",
        actual=examined.seen.engine_version,
        fix="a newer engine",
        place=examined.endpoint.where(examined.endpoint.value.address_field),
    )
