"""Rules of RDMA, where a running service has RDMA devices. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.findings import Finding
from dtnctl.planning.doctor.ground import Device, Ground, LiveService
from dtnctl.planning.doctor.judging import judge

if TYPE_CHECKING:
    from dtn_agent.protocol import RdmaDevice

WANTED_GID = "RoCE v2"


def judge_rdma(ground: Ground) -> Iterator[Finding]:
    """The devices of the NICs that such services use, each once, and the mode of network namespaces."""
    users = [live for live in ground.live if live.wants_rdma]
    judged: set[str] = set()
    for live in users:
        for device in ground.devices_of(live):
            if device.interface.name not in judged:
                judged.add(device.interface.name)
                yield from _device(device, ground)
    own = [live for live in users if not live.is_host_networked]
    if own:
        yield _netns(own, ground)


def _device(device: Device, ground: Ground) -> Iterator[Finding]:
    found = next((item for item in ground.facts.rdma if _belongs(item, device)), None)
    yield judge(
        "rdma.device",
        device.interface.name,
        found is not None,
        expected="an RDMA device",
        actual=found.name if found is not None else "none",
        fix="the driver's RDMA module (mlx5_ib, irdma …), or another NIC",
        place=device.place,
    )
    if found is not None:
        yield from _ports(found, device.place)


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
                WANTED_GID in types if types or not port.gids else None,
                expected=WANTED_GID,
                actual=", ".join(types) or "no GID",
                fix="an address on its interface, and RoCE v2 in the driver",
                place=place,
            )


def _netns(users: list[LiveService], ground: Ground) -> Finding:
    mode = ground.facts.system.rdma_netns
    return judge(
        "rdma.netns",
        "",
        None if mode is None else mode == "shared",
        expected=f"shared, since {', '.join(live.name for live in users)} has a network namespace of its own",
        actual=mode,
        fix="`options ib_core netns_mode=1` in /etc/modprobe.d and a reboot; dtnctl never switches it",
        place=users[0].service.place("devices"),
    )
