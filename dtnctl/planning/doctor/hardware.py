"""Rules of where NICs sit: their slots, their interrupts, and virtual functions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.findings import Finding, speed_text
from dtnctl.planning.doctor.examined import Carrier, Device, Examined
from dtnctl.planning.doctor.judging import judge, on_or_off, tuning
from dtnctl.planning.doctor.numbers import cpu_list, cpu_set, pcie_can, pcie_goodput
from dtnctl.printable import plural

if TYPE_CHECKING:
    from dtn_agent.protocol import Interface, PcieLink, Vf

DISABLED = "disable"
USUAL_PAYLOAD = 256  # bytes; what the card's rate through its slot is reckoned with, too


def judge_hardware(examined: Examined) -> Iterator[Finding]:
    """Slots and interrupts of every NIC, then virtual functions."""
    for device in examined.devices:
        if device.is_function:
            yield from _pcie(device)
        if device.has_queues:
            yield from _interrupts(device, examined)
            yield _steering(device)
    yield from _shared_slots(examined)
    for carrier in examined.carriers:
        yield from _able(carrier)
        yield from _vf(carrier, examined)


# --- slots --------------------------------------------------------------------------------------------------


def _pcie(device: Device) -> Iterator[Finding]:
    interface = device.interface
    yield judge_link("nic.pcie_link", interface.name, interface.pcie, device.place)
    goodput = pcie_goodput(interface.pcie) if interface.pcie is not None else None
    speed = interface.speed
    yield judge(
        "nic.pcie_goodput",
        interface.name,
        None if goodput is None or not speed else goodput * 1000 >= speed,
        expected=f"at least {speed_text(speed or 0)}",
        actual=f"{goodput or 0:.1f} Gb/s ({link_text(interface.pcie)})",
        fix="a wider or faster slot, or a bifurcation setting in the BIOS that gives this one its lanes",
        place=device.place,
    )
    yield _payload(device)


def _payload(device: Device) -> Finding:
    link = device.interface.pcie
    now, most = (link.payload, link.payload_max) if link is not None else (None, None)
    wanted = min(most or USUAL_PAYLOAD, USUAL_PAYLOAD)
    return judge(
        "nic.pcie_payload",
        device.interface.name,
        now >= wanted if now and most else None,
        expected=f"at least {wanted} bytes",
        actual=f"{now} bytes",
        fix="pci=pcie_bus_safe on the kernel's command line, or the largest payload in the BIOS",
        place=device.place,
    )


def judge_link(check: str, subject: str, link: PcieLink | None, place: str) -> Finding:
    """Whether a PCIe link runs as fast as both its ends can."""
    can = pcie_can(link) if link is not None else None
    now = (link.speed, link.width) if link is not None else (None, None)
    return judge(
        check,
        subject,
        now[0] >= can[0] and now[1] >= can[1] if can is not None and now[0] and now[1] else None,
        expected=f"{can[0]:g} GT/s x{can[1]}" if can is not None else "as card and slot can",
        actual=link_text(link),
        fix="seat the card again; check the slot's settings in the BIOS and the kernel's log for AER messages",
        place=place,
    )


def link_text(link: PcieLink | None) -> str:
    return f"{link.speed or 0:g} GT/s x{link.width or 0}" if link is not None else ""


def _shared_slots(examined: Examined) -> Iterator[Finding]:
    """Ports of one card: PCI functions that differ in the last digit only."""
    cards: dict[str, list[Device]] = {}
    for device in examined.devices:
        if device.is_function and device.interface.pci:
            cards.setdefault(device.interface.pci.rpartition(".")[0], []).append(device)
    for ports in cards.values():
        if len(ports) > 1:
            yield _shared(ports)


def _shared(ports: list[Device]) -> Finding:
    link = ports[0].interface.pcie
    goodput = pcie_goodput(link) if link is not None else None
    speeds = [item.interface.speed for item in ports]
    total = sum(filter(None, speeds))
    return judge(
        "nic.pcie_shared",
        " and ".join(item.interface.name for item in ports),
        None if goodput is None or None in speeds else goodput * 1000 >= total,
        expected=f"at least {speed_text(total)} for all ports",
        actual=f"{goodput or 0:.1f} Gb/s ({link_text(link)})",
        fix="data networks on one port of the card, or a second card",
        place=ports[0].place,
    )


# --- interrupts ---------------------------------------------------------------------------------------------


def _interrupts(device: Device, examined: Examined) -> Iterator[Finding]:
    interface, local = device.interface, cpu_set(device.interface.local_cpus)
    serving = [cpu_set(irq.cpus) for irq in interface.irqs]
    away = frozenset().union(*serving) - local
    is_known = bool(interface.irqs and local)
    yield judge(
        "nic.irq_affinity",
        interface.name,
        not away if is_known else None,
        expected=f"CPUs {cpu_list(local)}, those of its node",
        actual=f"{len([cpus for cpus in serving if cpus - local])} of {plural(len(serving), 'interrupt')} on CPUs {cpu_list(away)}"
        if away
        else "all there",
        fix=tuning(f"interface/{interface.name}/irqs", "local"),
        place=device.place,
    )
    yield _spread(device, serving, local, examined)


def _spread(device: Device, serving: list[frozenset[int]], local: frozenset[int], examined: Examined) -> Finding:
    """Only interrupts that one CPU serves count: where several may, the kernel or the device chooses."""
    single = Counter(next(iter(cpus)) for cpus in serving if len(cpus) == 1)
    online = len(local or cpu_set(examined.facts.cpus.online))
    crowded = sorted(cpu for cpu, count in single.items() if count > 1)
    has_free = len(single) < min(online, single.total())
    return judge(
        "nic.irq_spread",
        device.interface.name,
        not (crowded and has_free) if single and online else None,
        expected=f"one on each of {plural(min(online, single.total()), 'CPU')}",
        actual=f"{plural(single.total(), 'interrupt')} on {plural(len(single), 'CPU')}" if single else "",
        fix=tuning(f"interface/{device.interface.name}/irqs", "local"),
        place=device.place,
    )


def _steering(device: Device) -> Finding:
    """CPUs that packets are handed on to in software, whoever serves the interrupt."""
    interface, local = device.interface, cpu_set(device.interface.local_cpus)
    steered = frozenset().union(*(cpu_set(cpus) for cpus in interface.rps or ()))
    return judge(
        "nic.rps",
        interface.name,
        None if interface.rps is None or (steered and not local) else steered <= local,
        expected=f"off, or on CPUs {cpu_list(local) or 'of its node'}",
        actual=f"on CPUs {cpu_list(steered)}" if steered else "off",
        fix=f"0 into each /sys/class/net/{interface.name}/queues/rx-*/rps_cpus",
        place=device.place,
    )


# --- virtual functions --------------------------------------------------------------------------------------


def _able(carrier: Carrier) -> Iterator[Finding]:
    if carrier.driver_row.gives_functions and carrier.interface is not None:
        sriov = carrier.interface.sriov
        yield judge(
            "sriov.able",
            carrier.name,
            sriov is not None and sriov.total > 0,
            expected="a physical function with virtual ones",
            actual=f"{sriov.total} virtual functions" if sriov is not None else "no SR-IOV",
            fix="SR-IOV on in the BIOS and in the card's firmware, or another interface",
            place=carrier.place,
        )


def _vf(carrier: Carrier, examined: Examined) -> Iterator[Finding]:
    for interface in carrier.stack:
        if interface.physfn:
            pf, vf = _in_table(interface, examined)
            yield _link_state(interface, vf, carrier, pf)
            if carrier.driver_row.engine_macs:
                yield _trust(interface, vf, carrier, pf)
                yield _spoofchk(interface, vf, carrier, pf)


def _in_table(interface: Interface, examined: Examined) -> tuple[str, Vf | None]:
    """The PF's name and the VF in its table; the latter is None if the PF is not on this host (a VM has VFs only)."""
    for item in examined.facts.interfaces:
        for vf in item.sriov.vfs if item.sriov is not None else ():
            if vf.pci == interface.pci:
                return item.name, vf
    return "PF", None


def _link_state(interface: Interface, vf: Vf | None, carrier: Carrier, pf: str) -> Finding:
    state = vf.link_state if vf is not None else ""
    return judge(
        "vf.link_state",
        interface.name,
        state != DISABLED if state else None,
        expected="auto or enable",
        actual=state,
        fix=f"ip link set {pf} vf {vf.index if vf is not None else 'N'} state auto",
        place=carrier.place,
    )


def _trust(interface: Interface, vf: Vf | None, carrier: Carrier, pf: str) -> Finding:
    trust = vf.trust if vf is not None else None
    return judge(
        "vf.trust",
        interface.name,
        trust,
        expected="on",
        actual=on_or_off(trust),
        fix=f"ip link set {pf} vf {vf.index if vf is not None else 'N'} trust on, or `driver: sriov` in the network's file",
        place=carrier.place,
    )


def _spoofchk(interface: Interface, vf: Vf | None, carrier: Carrier, pf: str) -> Finding:
    spoofchk = vf.spoofchk if vf is not None else None
    return judge(
        "vf.spoofchk",
        interface.name,
        None if spoofchk is None else not spoofchk,
        expected="off",
        actual=on_or_off(spoofchk),
        fix=f"ip link set {pf} vf {vf.index if vf is not None else 'N'} spoofchk off, or `driver: sriov` in the network's file",
        place=carrier.place,
    )
