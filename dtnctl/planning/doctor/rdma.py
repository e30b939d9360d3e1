"""Rules of RDMA, where a running service has RDMA devices. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.findings import Finding
from dtnctl.planning.doctor.examined import Device, Examined, LiveService
from dtnctl.planning.doctor.judging import judge

if TYPE_CHECKING:
    from dtn_agent.protocol import RdmaDevice

WANTED_GID = "RoCE v2"


def judge_rdma(examined: Examined) -> Iterator[Finding]:
    """Whether each such service has a device, then the ports of these devices, each once, and the mode of network namespaces."""
    users = [live for live in examined.live if live.wants_rdma]
    reached: dict[str, tuple[RdmaDevice, str]] = {}
    for live in users:
        devices = examined.devices_of(live.service)
        own = {item.name: (item, device.place) for device in devices for item in examined.facts.rdma if _belongs(item, device)}
        reached |= own
        if devices:
            yield _device(live, devices, sorted(own))
    for name in sorted(reached):
        yield from _ports(*reached[name])
    apart = [live for live in users if not live.is_host_networked]
    if apart:
        yield _netns(apart, examined)


def _device(live: LiveService, devices: tuple[Device, ...], found: list[str]) -> Finding:
    """One of its NICs is enough: a service may have others for other things."""
    return judge(
        "rdma.device",
        live.name,
        bool(found),
        expected=f"an RDMA device of {' or '.join(item.interface.name for item in devices)}",
        actual=", ".join(found) or "none",
        fix="the driver's RDMA module (mlx5_ib, irdma …), or another NIC",
        place=live.service.place("devices"),
    )


def _belongs(rdma: RdmaDevice, device: Device) -> bool:
    interface = device.interface
    return rdma.netdev == interface.name or (bool(interface.pci) and rdma.pci == interface.pci)


def _ports(rdma: RdmaDevice, place: str) -> Iterator[Finding]:
    for port in rdma.ports:
        name = f"{rdma.name}/{port.port}"
        yield judge(
            "rdma.port",
            name,
            port.state == "ACTIVE" if port.state else None,
            expected="ACTIVE",
            actual=port.state,
            fix="its interface up; check cable and switch",
            place=place,
        )
        if port.link_layer == "Ethernet":
            types = sorted({gid.type for gid in port.gids if gid.type})
            yield judge(
                "rdma.gid",
                name,
                WANTED_GID in types if types else None,
                expected=WANTED_GID,
                actual=", ".join(types),
                fix="an address on its interface, and RoCE v2 in the driver",
                place=place,
            )


def _netns(users: list[LiveService], examined: Examined) -> Finding:
    mode = examined.facts.system.rdma_netns
    return judge(
        "rdma.netns",
        "",
        None if mode is None else mode == "shared",
        expected=f"shared, since {_have_namespaces(users)}",
        actual=mode,
        fix="`options ib_core netns_mode=1` in /etc/modprobe.d and a reboot; dtnctl never switches it",
        place=users[0].service.place("devices"),
    )


def _have_namespaces(users: list[LiveService]) -> str:
    names = ", ".join(live.name for live in users)
    return f"{names} has a network namespace of its own" if len(users) == 1 else f"{names} have network namespaces of their own"
