"""Rules of data NICs and of the networks that they carry: there, up, with frames that fit, as fast as the other ends. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.findings import Finding, speed_text
from dtnctl.model.nearest import suggestion
from dtnctl.planning.doctor.examined import Carrier, Device, Examined, below, carriers
from dtnctl.planning.doctor.judging import judge, tuning
from dtnctl.planning.doctor.numbers import pace_of

if TYPE_CHECKING:
    from dtn_agent.protocol import Interface

JUMBO = 8000
BEST_MTU = 9000


def judge_nics(examined: Examined) -> Iterator[Finding]:
    """Every network's carrier, then everything that its frames pass, in name order."""
    for carrier in examined.carriers:
        yield _present(carrier, examined)
        yield from _mtu(carrier)
        yield from _jumbo(carrier)
        yield from _peers(carrier, examined)
    yield from _links(examined)
    yield from _mtu_below(examined)


# --- the interface and its frames ---------------------------------------------------------------------------


def _present(carrier: Carrier, examined: Examined) -> Finding:
    there = sorted(name for name, item in examined.interfaces.items() if not item.kind)
    return judge(
        "nic.present",
        carrier.name,
        carrier.interface is not None,
        expected=f"interface {carrier.name} for network {carrier.network}",
        actual="there" if carrier.interface is not None else "no such interface",
        fix=f"`interfaces:` with {suggestion(carrier.name, there, 'the name of an interface of the host')}",
        place=carrier.place,
    )


def _passed(examined: Examined) -> list[tuple[Interface, str]]:
    """Everything that frames of declared networks pass, each once, with the place of the first network."""
    found: dict[str, tuple[Interface, str]] = {}
    for carrier in examined.carriers:
        for interface in carrier.stack:
            found.setdefault(interface.name, (interface, carrier.place))
    return [found[name] for name in sorted(found)]


def _links(examined: Examined) -> Iterator[Finding]:
    for interface, place in _passed(examined):
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


def _mtu_below(examined: Examined) -> Iterator[Finding]:
    for interface, place in _passed(examined):
        for lower in below(interface, examined.facts):
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


def _peers(carrier: Carrier, examined: Examined) -> Iterator[Finding]:
    if not carrier.stack:
        return
    others = {name: other.stack[0] for name in sorted(examined.peers) for other in _carried(carrier.network, name, examined)}
    tops = {examined.endpoint.name: carrier.stack[0]} | others
    if len(tops) > 1 and carrier.mtu is None:
        yield _mtu_of_peers(carrier, tops)
    device = next((item for interface in carrier.stack for item in examined.devices if item.interface is interface), None)
    if len(tops) > 1 and device is not None and not carrier.driver_row.gives_functions:
        yield _slower_peer(carrier, device, examined)


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


def _slower_peer(carrier: Carrier, device: Device, examined: Examined) -> Finding:
    own = _speed(carrier)
    others = (_speed(other) for name in examined.peers for other in _carried(carrier.network, name, examined))
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


def _carried(network: str, endpoint: str, examined: Examined) -> Iterator[Carrier]:
    found = carriers(examined.site, examined.site.endpoints[endpoint], examined.peers[endpoint].facts)
    return (other for other in found if other.network == network and other.stack)


def _speed(carrier: Carrier) -> int:
    """Mb/s of the fastest NIC under the network; 0 where none is known."""
    return max((interface.speed or 0 for interface in carrier.stack), default=0)
