"""Rules of a NIC's own settings: queueing, rings, channels, offloads, and what it lost. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dtnctl.model.findings import Finding
from dtnctl.model.versions import version_of
from dtnctl.planning.doctor.examined import Device, Examined
from dtnctl.planning.doctor.judging import judge, on_or_off, tuning
from dtnctl.planning.doctor.numbers import FAST, cpu_set, needs_of

LARGEST_RING = 8192
RINGS_MATTER_BEFORE = (6, 11)
A_MINUTE, A_SECOND = (1.0, "minute"), (60.0, "second")  # times a minute
DAMAGED = ("rx_crc_errors", "rx_frame_errors", "rx_length_errors", "tx_carrier_errors")
NO_ROOM = ("rx_missed_errors", "rx_over_errors", "rx_fifo_errors", "tx_fifo_errors")
# The cause of these is unknown: drivers, the kernel's backlog, and frames of protocols without a listener are counted in one.
DROPPED = ("rx_dropped", "tx_dropped")
TOTALS = ("rx_errors", "tx_errors")  # drivers sum up different things: shown, never judged
# By the kernel's names; drivers have one of several for the same thing.
OFFLOADS = {
    "gro": ("rx-gro", "rx-gro-hw"),
    "gso": ("tx-generic-segmentation",),
    "tso": ("tx-tcp-segmentation",),
    "rx checksum": ("rx-checksum",),
    "tx checksum": ("tx-checksum-ip-generic", "tx-checksum-ipv4"),
}
LRO = "rx-lro"
USUAL_SIZE, BIG_SIZE = 65536, 185_000  # bytes; the second as in the kernel's own measurements


def judge_queues(examined: Examined) -> Iterator[Finding]:
    """Every NIC, in name order; queues only of those that the host's own frames go through."""
    for device in examined.devices:
        yield _duplex(device)
        yield from _losses(device, examined)
        if device.has_queues:
            yield from _queues(device, examined)


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


def _queues(device: Device, examined: Examined) -> Iterator[Finding]:
    yield _qdisc(device)
    yield _tx_queue_len(device, examined)
    yield _rings(device, examined)
    yield _channels(device, examined)
    yield _adaptive_rx(device)
    if not any(live.wants_rdma for live in examined.live):
        yield _pause(device)
    yield _offloads(device)
    yield from _big_tcp(device)
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


def _tx_queue_len(device: Device, examined: Examined) -> Finding:
    length, speed = device.interface.tx_queue_len, device.interface.speed or examined.speed
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


def _rings(device: Device, examined: Examined) -> Finding:
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
        severity="info" if version_of(examined.facts.system.kernel) >= RINGS_MATTER_BEFORE else None,
    )


def _channels(device: Device, examined: Examined) -> Finding:
    channels, name = device.interface.channels, device.interface.name
    wanted = min(channels.combined_max, _cores(device, examined)) if channels is not None else 0
    return judge(
        "nic.channels",
        name,
        channels.combined >= wanted if channels is not None and wanted else None,
        expected=f"at least {wanted} combined",
        actual=channels.combined if channels is not None else "",
        fix=tuning(f"interface/{name}/channels", wanted),
        place=device.place,
    )


def _cores(device: Device, examined: Examined) -> int:
    """Cores of the NIC's node at the least; 0 where it is not known. Where SMT is not known, two CPUs may be one core."""
    local = len(cpu_set(device.interface.local_cpus))
    if not local and len(examined.facts.cpus.numa) == 1:
        local = examined.facts.cpus.logical
    return local if examined.facts.cpus.smt is False else local // 2


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


def _big_tcp(device: Device) -> Iterator[Finding]:
    """Of fast NICs whose driver takes larger packets; a kernel that does not report a size has none to set."""
    name, sizes = device.interface.name, device.interface.offload_sizes
    most = sizes.tso if sizes is not None else None
    if (device.interface.speed or 0) < FAST or (most is not None and most <= USUAL_SIZE):
        return
    known = {word: getattr(sizes, word) for word in ("gso", "gro", "gso_ipv4", "gro_ipv4") if getattr(sizes, word, None) is not None}
    usual = [word for word, size in known.items() if size <= USUAL_SIZE]
    yield judge(
        "nic.big_tcp",
        name,
        not usual if most is not None and known else None,
        expected=f"packets of more than {USUAL_SIZE} bytes",
        actual=", ".join(f"{word} {size}" for word, size in known.items()),
        fix=f"ip link set {name} " + " ".join(f"{word}_max_size {min(most or 0, BIG_SIZE)}" for word in usual),
        place=device.place,
    )


def _lro(device: Device) -> Finding:
    features = device.interface.features
    is_on = features is not None and LRO in features
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


@dataclass(frozen=True, slots=True)
class Losses:
    """A check of counters since boot: rates and not counts, since a host that has run for a year has seen a cable pulled."""

    check: str
    names: tuple[str, ...]
    most: tuple[float, str]
    fix: str
    beside: tuple[str, ...] = ()


LOSSES = (
    Losses(
        "nic.errors",
        DAMAGED,
        A_MINUTE,
        "ethtool -m {name}: light levels; clean or change fibre, optics, cable; of wrong lengths, look for a sender with a larger MTU",
        TOTALS,
    ),
    Losses("nic.drops", NO_ROOM, A_MINUTE, "larger rings, interrupts on CPUs of its node; ethtool -S {name} shows which queue"),
    Losses(
        "nic.dropped",
        DROPPED,
        A_SECOND,
        "ethtool -S {name} shows what the driver drops; the second column of /proc/net/softnet_stat, whether the backlog is too short",
    ),
)


def _losses(device: Device, examined: Examined) -> Iterator[Finding]:
    counters, minutes = device.interface.counters, examined.facts.system.uptime / 60
    for losses in LOSSES:
        found = [counters[name] for name in losses.names if name in counters]
        most, word = losses.most
        yield judge(
            losses.check,
            device.interface.name,
            sum(found) <= most * minutes if found and minutes else None,
            expected=f"fewer than one a {word}",
            actual=", ".join(f"{name} {counters[name]}" for name in (*losses.names, *losses.beside) if counters.get(name)) or "none",
            fix=losses.fix.format(name=device.interface.name),
            place=device.place,
        )
