"""Network interfaces: what the kernel answers about each, and where its device sits by sysfs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from dtn_agent.probe.answers import Answers, Ethtool, LinkAnswer
from dtn_agent.probe.files import Files, PciFunction
from dtn_agent.probe.pci import irqs, numa_node, pcie_link
from dtn_agent.probe.sriov import sriov
from dtn_agent.probe.steering import steering
from dtn_agent.protocol import Interface

COUNTERS = (
    "rx_bytes",
    "rx_crc_errors",
    "rx_dropped",
    "rx_errors",
    "rx_fifo_errors",
    "rx_frame_errors",
    "rx_length_errors",
    "rx_missed_errors",
    "rx_over_errors",
    "tx_bytes",
    "tx_carrier_errors",
    "tx_dropped",
    "tx_errors",
    "tx_fifo_errors",
)


def interfaces(files: Files, answers: Answers, holders: Mapping[str, str]) -> tuple[Interface, ...]:
    """Every interface but the loopback, by name. `holders` are those of virtual functions, by PCI address."""
    names = {link.index: link.name for link in answers.links}
    links = sorted((link for link in answers.links if not link.is_loopback), key=lambda link: link.name)
    return tuple(_interface(files, answers, link, names, holders) for link in links)


def _interface(files: Files, answers: Answers, link: LinkAnswer, names: Mapping[int, str], holders: Mapping[str, str]) -> Interface:
    folder = f"{files.sys}/class/net/{link.name}"
    function = files.function(folder)
    card = answers.ethtool.get(link.name, Ethtool())
    return Interface(
        name=link.name,
        index=link.index,
        alias=link.alias,
        mac=link.mac,
        addresses=tuple(answers.addresses.get(link.index, ())),
        mtu=link.mtu,
        max_mtu=link.max_mtu,
        is_up=link.is_up,
        carrier=link.carrier,
        speed=_speed(files, folder, link),
        duplex=_duplex(files, folder, link),
        kind=link.kind,
        parent=names.get(link.parent or 0, ""),
        vlan=link.vlan,
        master=names.get(link.master or 0, ""),
        driver=files.link(f"{folder}/device/driver"),
        pci=function.address if function else "",
        physfn=files.link(f"{function.path}/physfn") if function else "",
        numa_node=numa_node(files, function),
        local_cpus=_local_cpus(files, function),
        qdiscs=tuple(answers.qdiscs.get(link.index, ())),
        tx_queue_len=link.tx_queue_len,
        offload_sizes=link.offload_sizes,
        irqs=irqs(files, function),
        rps=steering(files, folder, "rps") if function else None,
        xps=steering(files, folder, "xps") if function else None,
        pcie=pcie_link(files, function),
        sriov=sriov(files, function, link.vfs, holders),
        counters=_counters(files, folder),
        **{item.name: getattr(card, item.name) for item in fields(card)},
    )


def _speed(files: Files, folder: str, link: LinkAnswer) -> int | None:
    """The speed of the link as it is; a link that is down, and most virtual ones, have none (-1, or a refusal)."""
    return files.positive(f"{folder}/speed") if link.carrier else None


def _duplex(files: Files, folder: str, link: LinkAnswer) -> str | None:
    duplex = files.text(f"{folder}/duplex") if link.carrier else None
    return duplex if duplex in ("full", "half") else None


def _local_cpus(files: Files, function: PciFunction | None) -> str:
    return files.value(f"{function.path}/local_cpulist") if function else ""


def _counters(files: Files, folder: str) -> dict[str, int]:
    counted = {name: files.number(f"{folder}/statistics/{name}") for name in COUNTERS}
    return {name: count for name, count in counted.items() if count is not None}
