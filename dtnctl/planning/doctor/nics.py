"""Rules of data NICs and of the networks that they carry: link, frame sizes, queueing, offloads, losses. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.findings import Finding, speed_text
from dtnctl.model.nearest import suggestion
from dtnctl.planning.doctor.ground import Carrier, Device, Ground, below, carriers
from dtnctl.planning.doctor.judging import judge, on_or_off, tuning
from dtnctl.planning.doctor.numbers import cpu_set, needs_of, pace_of, version_of

if TYPE_CHECKING:
    from dtn_agent.protocol import Interface

JUMBO = 8000
BEST_MTU = 9000
LARGEST_RING = 8192
RINGS_MATTER_BEFORE = (6, 11)
PER_MINUTE = 1.0
DAMAGED = ("rx_crc_errors", "rx_frame_errors", "rx_length_errors", "tx_carrier_errors")
NO_ROOM = ("rx_missed_errors", "rx_over_errors", "rx_fifo_errors", "tx_fifo_errors")
# Each by the names that old and new tools have for it; any of them on is enough.
OFFLOADS = {
    "gro": ("rx-gro", "generic-receive-offload"),
    "gso": ("tx-generic-segmentation", "generic-segmentation-offload"),
    "tso": ("tx-tcp-segmentation", "tcp-segmentation-offload"),
    "rx checksum": ("rx-checksum", "rx-checksumming"),
    "tx checksum": ("tx-checksum-ip-generic", "tx-checksum-ipv4", "tx-checksumming"),
}
LRO = ("rx-lro", "large-receive-offload")


def judge_nics(ground: Ground) -> Iterator[Finding]:
    """Every carrier, every NIC, in name order."""
    for carrier in ground.carriers:
        yield _present(carrier, ground)
        yield from _mtu(carrier)
        yield from _jumbo(carrier)
        yield from _peers(carrier, ground)
    yield from _links(ground)
    yield from _mtu_below(ground)
    for device in ground.devices:
        yield _duplex(device)
        yield from _losses(device, ground)
        if device.has_queues:
            yield from _queues(device, ground)


# --- the interface and its frames ---------------------------------------------------------------------------


def _present(carrier: Carrier, ground: Ground) -> Finding:
    there = sorted(name for name, item in ground.interfaces.items() if not item.kind)
    return judge(
        "nic.present",
        carrier.name,
        carrier.interface is not None,
        expected=f"interface {carrier.name} for network {carrier.network}",
        actual="there" if carrier.interface is not None else "no such interface",
        fix=f"`interfaces:` with {suggestion(carrier.name, there, 'the name of an interface of the host')}",
        place=carrier.place,
    )


def _passed(ground: Ground) -> list[tuple[Interface, str]]:
    """Everything that frames of declared networks pass, each once, with the place of the first network."""
    found: dict[str, tuple[Interface, str]] = {}
    for carrier in ground.carriers:
        for interface in carrier.stack:
            found.setdefault(interface.name, (interface, carrier.place))
    return [found[name] for name in sorted(found)]


def _links(ground: Ground) -> Iterator[Finding]:
    for interface, place in _passed(ground):
        has_link = interface.carrier if interface.is_up else False
        yield judge(
            "nic.link",
            interface.name,
            has_link,
            expected="up, with a carrier",
            actual="up" if has_link else ("no carrier" if interface.is_up else "down"),
            fix=f"ip link set {interface.name} up" if not interface.is_up else "check cable, optics and the switch's port",
            place=place,
        )


def _mtu(carrier: Carrier) -> Iterator[Finding]:
    if carrier.mtu is None:
        return
    for interface in carrier.stack:
        yield judge(
            "nic.mtu",
            interface.name,
            interface.mtu >= carrier.mtu if interface.mtu else None,
            expected=f"at least {carrier.mtu}, as network {carrier.network} declares",
            actual=interface.mtu,
            fix=tuning(f"interface/{interface.name}/mtu", carrier.mtu),
            place=carrier.place,
        )


def _mtu_below(ground: Ground) -> Iterator[Finding]:
    for interface, place in _passed(ground):
        for lower in below(interface, ground.facts):
            yield judge(
                "nic.mtu_below",
                interface.name,
                interface.mtu <= lower.mtu if interface.mtu and lower.mtu else None,
                expected=f"at most {lower.mtu}, the MTU of {lower.name}",
                actual=interface.mtu,
                fix=tuning(f"interface/{lower.name}/mtu", interface.mtu),
                place=place,
            )


def _jumbo(carrier: Carrier) -> Iterator[Finding]:
    if not carrier.stack:
        return
    mtu = carrier.mtu or carrier.stack[0].mtu
    yield judge(
        "nic.jumbo",
        carrier.network,
        mtu >= JUMBO if mtu else None,
        expected=f"{BEST_MTU}",
        actual=mtu,
        fix=f"`mtu: {BEST_MTU}` in the network's file, if every switch on the way carries it",
        place=carrier.place,
    )


# --- the other ends of a network ----------------------------------------------------------------------------


def _peers(carrier: Carrier, ground: Ground) -> Iterator[Finding]:
    if not carrier.stack:
        return
    others = {name: other.stack[0] for name in sorted(ground.peers) for other in _carried(carrier.network, name, ground)}
    tops = {ground.endpoint.name: carrier.stack[0]} | others
    if len(tops) > 1 and carrier.mtu is None:
        yield _mtu_of_peers(carrier, tops)
    device = next((item for interface in carrier.stack for item in ground.devices if item.interface is interface), None)
    if len(tops) > 1 and device is not None and carrier.driver != "sriov":
        yield _slower_peer(carrier, device, ground)


def _mtu_of_peers(carrier: Carrier, tops: dict[str, Interface]) -> Finding:
    sizes = {name: interface.mtu for name, interface in sorted(tops.items())}
    return judge(
        "nic.mtu_peers",
        carrier.network,
        None if 0 in sizes.values() else len(set(sizes.values())) == 1,
        expected="the same on all endpoints",
        actual=", ".join(f"{size} on {name}" for name, size in sizes.items()),
        fix=f"`mtu: {max(sizes.values())}` in the network's file, and interfaces that can",
        place=carrier.place,
    )


def _slower_peer(carrier: Carrier, device: Device, ground: Ground) -> Finding:
    own = _speed(carrier)
    others = (_speed(other) for name in ground.peers for other in _carried(carrier.network, name, ground))
    slowest = min(filter(None, others), default=None)
    paces = [pace_of(qdisc.options) for qdisc in device.interface.qdiscs if qdisc.kind == "fq"]
    is_paced = bool(paces) and slowest is not None and all(pace is not None and pace <= slowest for pace in paces)
    return judge(
        "nic.slower_peer",
        device.interface.name,
        None if slowest is None or not own else slowest >= own or is_paced,
        expected=f"paced to {speed_text(slowest or 0)}, the slowest NIC on network {carrier.network}",
        actual=f"{speed_text(own)}, not paced" if not is_paced else "paced",
        fix=tuning(f"interface/{device.interface.name}/qdisc", f"fq maxrate {slowest}mbit"),
        place=carrier.place,
    )


def _carried(network: str, endpoint: str, ground: Ground) -> Iterator[Carrier]:
    found = carriers(ground.site, ground.site.endpoints[endpoint], ground.peers[endpoint].facts)
    return (other for other in found if other.network == network and other.stack)


def _speed(carrier: Carrier) -> int:
    """Mb/s of the fastest NIC under the network; 0 where none is known."""
    return max((interface.speed or 0 for interface in carrier.stack), default=0)


# --- the NIC's own settings ---------------------------------------------------------------------------------


def _duplex(device: Device) -> Finding:
    duplex = device.interface.duplex
    return judge(
        "nic.duplex",
        device.interface.name,
        None if not duplex or duplex == "unknown" else duplex == "full",
        expected="full",
        actual=duplex,
        fix="negotiation on at both ends of the cable",
        place=device.place,
    )


def _queues(device: Device, ground: Ground) -> Iterator[Finding]:
    yield _qdisc(device)
    yield _tx_queue_len(device, ground)
    yield _rings(device, ground)
    yield _channels(device, ground)
    yield _adaptive_rx(device)
    if not any(live.wants_rdma for live in ground.live):
        yield _pause(device)
    yield _offloads(device)
    if device.has_containers:
        yield _lro(device)


def _qdisc(device: Device) -> Finding:
    qdiscs = device.interface.qdiscs
    root = next((item for item in qdiscs if item.parent == "root"), None)
    leaves = [item.kind for item in qdiscs if item is not root]
    kinds = sorted(set(leaves)) if root is not None and root.kind in ("mq", "mqprio") else [root.kind] if root is not None else []
    return judge(
        "nic.qdisc",
        device.interface.name,
        kinds == ["fq"] if kinds else None,
        expected="fq",
        actual=", ".join(kinds),
        fix=tuning(f"interface/{device.interface.name}/qdisc", "fq"),
        place=device.place,
    )


def _tx_queue_len(device: Device, ground: Ground) -> Finding:
    length, speed = device.interface.tx_queue_len, device.interface.speed or ground.speed
    wanted = needs_of(speed or 0).queue
    return judge(
        "nic.tx_queue_len",
        device.interface.name,
        None if length is None or speed is None else length >= wanted,
        expected=f"at least {wanted}",
        actual=length,
        fix=tuning(f"interface/{device.interface.name}/tx_queue_len", wanted),
        place=device.place,
    )


def _rings(device: Device, ground: Ground) -> Finding:
    rings, name = device.interface.rings, device.interface.name
    wanted = (min(rings.rx_max, LARGEST_RING), min(rings.tx_max, LARGEST_RING)) if rings is not None else (0, 0)
    is_short = rings is not None and rings.rx < wanted[0]
    side, size = ("rx_ring", wanted[0]) if is_short else ("tx_ring", wanted[1])
    return judge(
        "nic.rings",
        name,
        rings.rx >= wanted[0] and rings.tx >= wanted[1] if rings is not None and all(wanted) else None,
        expected=f"rx {wanted[0]}, tx {wanted[1]}",
        actual=f"rx {rings.rx}, tx {rings.tx}" if rings is not None else "",
        fix=tuning(f"interface/{name}/{side}", size),
        place=device.place,
        severity="info" if version_of(ground.facts.system.kernel) >= RINGS_MATTER_BEFORE else None,
    )


def _channels(device: Device, ground: Ground) -> Finding:
    channels, name = device.interface.channels, device.interface.name
    wanted = min(channels.combined_max, _cores(device, ground)) if channels is not None else 0
    return judge(
        "nic.channels",
        name,
        channels.combined >= wanted if channels is not None and wanted else None,
        expected=f"at least {wanted} combined",
        actual=channels.combined if channels is not None else "",
        fix=tuning(f"interface/{name}/channels", wanted),
        place=device.place,
    )


def _cores(device: Device, ground: Ground) -> int:
    """Cores of the NIC's node at the least; 0 where it is not known. Where SMT is not known, two CPUs may be one core."""
    local = len(cpu_set(device.interface.local_cpus))
    if not local and len(ground.facts.cpus.numa) == 1:
        local = ground.facts.cpus.logical
    return local if ground.facts.cpus.smt is False else local // 2


def _adaptive_rx(device: Device) -> Finding:
    return judge(
        "nic.adaptive_rx",
        device.interface.name,
        device.interface.adaptive_rx,
        expected="on",
        actual=on_or_off(device.interface.adaptive_rx),
        fix=tuning(f"interface/{device.interface.name}/adaptive_rx", "on"),
        place=device.place,
    )


def _pause(device: Device) -> Finding:
    rx, tx = device.interface.pause_rx, device.interface.pause_tx
    return judge(
        "nic.pause",
        device.interface.name,
        None if rx is None or tx is None else rx and tx,
        expected="rx on, tx on",
        actual=f"rx {on_or_off(rx)}, tx {on_or_off(tx)}",
        fix=tuning(f"interface/{device.interface.name}/pause_{'tx' if rx else 'rx'}", "on"),
        place=device.place,
    )


def _offloads(device: Device) -> Finding:
    features = device.interface.features
    missing = [word for word, names in OFFLOADS.items() if features is not None and not set(names) & set(features)]
    flags = " ".join(f"{word.split()[0]} on" for word in missing)
    return judge(
        "nic.offloads",
        device.interface.name,
        None if features is None else not missing,
        expected=f"{', '.join(OFFLOADS)} on",
        actual=f"{', '.join(missing)} off" if missing else "on",
        fix=f"ethtool -K {device.interface.name} {flags}",
        place=device.place,
    )


def _lro(device: Device) -> Finding:
    features = device.interface.features
    is_on = features is not None and bool(set(LRO) & set(features))
    return judge(
        "nic.lro",
        device.interface.name,
        None if features is None else not is_on,
        expected="off",
        actual=on_or_off(is_on),
        fix=f"ethtool -K {device.interface.name} lro off",
        place=device.place,
    )


# --- losses -------------------------------------------------------------------------------------------------


def _losses(device: Device, ground: Ground) -> Iterator[Finding]:
    """Counters since boot: rates and not counts, since a host that has run for a year has seen a cable pulled."""
    name = device.interface.name
    yield _counted("nic.errors", DAMAGED, device, ground, f"ethtool -m {name}: light levels; clean or change fibre, optics, cable")
    yield _counted(
        "nic.drops", NO_ROOM, device, ground, f"larger rings, interrupts on CPUs of its node; ethtool -S {name} tells which queue"
    )


def _counted(check: str, names: tuple[str, ...], device: Device, ground: Ground, fix: str) -> Finding:
    counters, minutes = device.interface.counters, ground.facts.system.uptime / 60
    found = {name: counters[name] for name in names if name in counters}
    total = sum(found.values())
    return judge(
        check,
        device.interface.name,
        total <= PER_MINUTE * minutes if found and minutes else None,
        expected="fewer than one a minute",
        actual=", ".join(f"{name} {count}" for name, count in found.items() if count) or "none",
        fix=fix,
        place=device.place,
    )
