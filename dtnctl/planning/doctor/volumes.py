"""Rules of volumes over NVMe-oF: what an agent holds of them, at either end. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.findings import Finding
from dtnctl.planning.doctor.examined import Examined
from dtnctl.planning.doctor.judging import judge, tuning
from dtnctl.planning.doctor.numbers import cpu_set

if TYPE_CHECKING:
    from dtn_agent.protocol import Interface
    from dtn_agent.protocol.volumes import HeldExport, HeldVolume

LEAST_MTU = 9000
APPLY = "`dtnctl plan` says what is wrong, `dtnctl apply` repairs it"


def judge_volumes(examined: Examined) -> Iterator[Finding]:
    """Every export of the site, then every volume that it has connected, in name order."""
    site = examined.site.name
    for export in examined.host.held.exports:
        if export.site == site:
            yield from _export(examined, export, _place(examined, export.volume))
    for volume in examined.host.held.volumes:
        if volume.site == site:
            yield from _volume(examined, volume, _place(examined, volume.volume))


def _place(examined: Examined, name: str) -> str:
    """One that no file declares any more is the endpoint's."""
    document = examined.site.volumes.get(name)
    return document.where() if document is not None else examined.endpoint.where()


def _export(examined: Examined, held: HeldExport, place: str) -> Iterator[Finding]:
    yield judge("nvme.export", held.volume, not held.fault, expected="as asked for", actual=held.fault, fix=APPLY, place=place)
    yield _mtu(held.volume, _with_address(examined, held.portal.address), place)


def _volume(examined: Examined, held: HeldVolume, place: str) -> Iterator[Finding]:
    is_mounted = held.mount is None or held.mount.is_mounted
    actual = held.state if held.state != "live" or is_mounted else "live, not mounted"
    is_right = held.state == "live" and is_mounted
    yield judge("nvme.connection", held.volume, is_right, expected="live", actual=actual, fix=APPLY, place=place)
    yield _paths(examined, held, place)
    interface = _with_address(examined, held.host_address or "")
    yield _queues(held, interface, place)
    yield _mtu(held.volume, interface, place)
    yield _scheduler(examined, held, place)


def _paths(examined: Examined, held: HeldVolume, place: str) -> Finding:
    nvme = examined.facts.nvme
    names = [item.name for item in nvme.controllers if item.nqn == held.nqn] if nvme is not None else []
    return judge(
        "nvme.paths",
        held.volume,
        len(names) == 1 if names else None,
        expected="one connection",
        actual=", ".join(names),
        fix=f"who made the others: /run/nvme/registry on {examined.endpoint.name}; `nvme disconnect -d NAME` ends one",
        place=place,
    )


def _queues(held: HeldVolume, interface: Interface | None, place: str) -> Finding:
    least = len(cpu_set(interface.local_cpus)) if interface is not None else 0
    queues = held.queues.io_queues
    return judge(
        "nvme.queues",
        held.volume,
        None if not least else queues is None or queues >= least,
        expected=f"at least {least}, or the kernel's own number",
        actual=queues or "the kernel's own number",
        fix=f"no `queues`, or `queues: {least}`, in the volume's file",
        place=place,
    )


def _mtu(name: str, interface: Interface | None, place: str) -> Finding:
    return judge(
        "nvme.mtu",
        name,
        None if interface is None or not interface.mtu else interface.mtu >= LEAST_MTU,
        expected=f"at least {LEAST_MTU}",
        actual=f"{interface.mtu} on {interface.name}" if interface is not None else "",
        fix=tuning(f"interface/{interface.name}/mtu", LEAST_MTU) if interface is not None else "",
        place=place,
    )


def _scheduler(examined: Examined, held: HeldVolume, place: str) -> Finding:
    name = held.device.rpartition("/")[2]
    scheduler = next((disk.scheduler for disk in examined.facts.block_devices if disk.name == name), None)
    return judge(
        "nvme.scheduler",
        held.volume,
        scheduler == "none" if scheduler else None,
        expected="none",
        actual=scheduler,
        fix=tuning(f"block/{name}/scheduler", "none"),
        place=place,
    )


def _with_address(examined: Examined, address: str) -> Interface | None:
    """The interface that has it; None where any may carry it, or it is gone."""
    found = (item for item in examined.facts.interfaces if any(text.partition("/")[0] == address for text in item.addresses))
    return next(found, None)
