"""Hosts as agents tell them, for planning tests: a dual-socket DTN with an SR-IOV card on each node, and what was done to it."""

from __future__ import annotations

from collections.abc import Iterable

from dtn_agent.protocol import (
    Ability,
    BlockDevice,
    Cpus,
    Facts,
    Held,
    Host,
    Interface,
    Irq,
    Memory,
    Mounted,
    NumaNode,
    RdmaDevice,
    Sriov,
    System,
    Vf,
)

OF_VOLUMES = ("export-tcp", "export-rdma", "connect-tcp", "connect-rdma", "mount-ext4", "mount-xfs")
ABILITIES = ("vf", "driver", "vlan", "tune", "tbf", "netem", "fq", "ports", "destinations", *OF_VOLUMES)
NODE_CPUS = ("0-7,16-23", "8-15,24-31")
BUSES = ("17", "b1")
LAN = Interface(name="eth9", index=9, mtu=9000, is_up=True, carrier=True, speed=25_000)


def pf(name: str, node: int, *, vfs: int = 4, total: int = 8) -> Interface:
    """A 100 Gb/s card on a node, with so many virtual functions made."""
    bus = BUSES[node]
    made = tuple(Vf(index=index, pci=f"0000:{bus}:00.{index + 2}", netdev=f"{name}v{index}", driver="mlx5_core") for index in range(vfs))
    return Interface(
        name=name,
        index=2 + node,
        mtu=9000,
        is_up=True,
        carrier=True,
        speed=100_000,
        driver="mlx5_core",
        pci=f"0000:{bus}:00.0",
        numa_node=node,
        local_cpus=NODE_CPUS[node],
        irqs=(Irq(number=100 + node, cpus=NODE_CPUS[node].partition("-")[0]),),
        sriov=Sriov(total=total, current=vfs, offset=2, stride=1, vfs=made),
    )


def verbs(interface: Interface) -> tuple[RdmaDevice, ...]:
    """The RDMA devices of a card and of its virtual functions, numbered as the kernel does."""
    assert interface.sriov is not None
    base = 10 * (interface.numa_node or 0)
    functions = [interface.pci, *(vf.pci for vf in interface.sriov.vfs)]
    return tuple(RdmaDevice(name=f"mlx5_{base + number}", uverbs=f"uverbs{base + number}", pci=pci) for number, pci in enumerate(functions))


def machine(
    *interfaces: Interface,
    held: Held = Held(),  # noqa: B008  a frozen value
    rdma: Iterable[RdmaDevice] = (),
    disks: Iterable[BlockDevice] = (),
    lacks: Iterable[str] = (),
) -> Host:
    """A host with these interfaces and a plain one, eth9; NVMe at /nvme on node 1 unless told otherwise."""
    cpus = Cpus(
        logical=32,
        online="0-31",
        numa=tuple(NumaNode(node=node, cpus=text, memory=256 * 1024**3) for node, text in enumerate(NODE_CPUS)),
    )
    disk = BlockDevice(name="nvme0n1", size=10**12, numa_node=1, mounts=(Mounted(target="/nvme", filesystem="xfs"),))
    facts = Facts(
        system=System(hostname="dtn", kernel="6.12"),
        cpus=cpus,
        memory=Memory(total=512 * 1024**3, available=500 * 1024**3),
        interfaces=(*(interfaces or (pf("ens1f0", 1),)), LAN),
        rdma=tuple(rdma),
        block_devices=tuple(disks) or (disk,),
    )
    abilities = tuple(Ability(name=name, lacks="no such module" if name in lacks else "") for name in ABILITIES)
    return Host(version=1, agent="0.1.0", facts=facts, held=held, abilities=abilities)
