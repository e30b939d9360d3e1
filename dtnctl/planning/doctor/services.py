"""Rules of running services: where they run, what they may use, how they are attached, where their transfers go. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.data_paths import clean_data_path, innermost
from dtnctl.model.findings import Finding
from dtnctl.planning.doctor.examined import Device, Examined, LiveService
from dtnctl.planning.doctor.judging import judge
from dtnctl.planning.doctor.numbers import cpu_list, cpu_set, last_number
from dtnctl.planning.resolve import ResolvedTransfer
from dtnctl.printable import plural

if TYPE_CHECKING:
    from dtn_agent.protocol import ContainerInterface

UNLIMITED = -1
LEAST_FILES = 65536
BUFFER_FACTOR = 2  # the kernel counts a buffer's overhead too
BRIDGE_IS_ENOUGH = 10_000  # Mb/s


def judge_services(examined: Examined) -> Iterator[Finding]:
    """Every running service, in name order; then the paths of transfers."""
    for live in examined.live:
        yield from _placement(live, examined)
        yield from _attachment(live, examined)
        yield from _limits(live)
        yield from _memory(live, examined)
    for resolved in examined.resolved_transfers:
        yield from _paths(resolved, examined)


# --- where it runs ------------------------------------------------------------------------------------------


def _placement(live: LiveService, examined: Examined) -> Iterator[Finding]:
    devices = examined.devices_of(live.service)
    if not devices or not examined.has_several_nodes:
        return
    pinned, local = cpu_set(live.seen.spec.cpu_set), examined.local_cpus(devices)
    yield judge(
        "container.pinned",
        live.name,
        bool(pinned),
        expected=f"some of CPUs {cpu_list(local)}" if local else "pinned",
        actual=f"CPUs {cpu_list(pinned)}" if pinned else "any CPU",
        fix=f'`cpu_set: "{cpu_list(local)}"` in its profile',
        place=live.service.place("cpu_set"),
    )
    yield _memory_nodes(live, devices)
    if pinned:
        yield _cpus(live, pinned, local)
        yield _irq_cpus(live, pinned, devices)


def _cpus(live: LiveService, pinned: frozenset[int], local: frozenset[int]) -> Finding:
    return judge(
        "container.cpus",
        live.name,
        pinned <= local if local else None,
        expected=f"some of CPUs {cpu_list(local)}, those of its NIC's node",
        actual=f"CPUs {cpu_list(pinned)}",
        fix=f'`cpu_set: "{cpu_list(local)}"` or a part of it in its profile',
        place=live.service.place("cpu_set"),
    )


def _irq_cpus(live: LiveService, pinned: frozenset[int], devices: tuple[Device, ...]) -> Finding:
    serving = frozenset().union(*(cpu_set(irq.cpus) for item in devices for irq in item.interface.irqs))
    common = pinned & serving
    return judge(
        "container.irq_cpus",
        live.name,
        not common if serving else None,
        expected=f"none of CPUs {cpu_list(serving)}, which serve its NIC's interrupts",
        actual=f"CPUs {cpu_list(common)} of its own are among them" if common else "none",
        fix="other CPUs of that node in `cpu_set`, or fewer channels on the NIC",
        place=live.service.place("cpu_set"),
    )


def _memory_nodes(live: LiveService, devices: tuple[Device, ...]) -> Finding:
    nodes = frozenset(item.interface.numa_node for item in devices if item.interface.numa_node is not None)
    chosen = cpu_set(live.seen.spec.memory_nodes)
    return judge(
        "container.memory_nodes",
        live.name,
        chosen <= nodes if nodes else None,
        expected=f"node {cpu_list(nodes)}",
        actual=f"node {cpu_list(chosen)}" if chosen else "that of its CPUs",
        fix=f'`memory_nodes: "{cpu_list(nodes)}"` in its profile',
        place=live.service.place("memory_nodes"),
    )


# --- how it is attached -------------------------------------------------------------------------------------


def _attachment(live: LiveService, examined: Examined) -> Iterator[Finding]:
    if live.is_host_networked:
        return
    for network in live.service.profile.data_nets:
        yield from _on_network(network.name, live, examined)
    yield from _bridge(live, examined)


def _on_network(network: str, live: LiveService, examined: Examined) -> Iterator[Finding]:
    interface, wanted = _interface_on(network, live), _wanted_mtu(network, examined)
    place, fix = live.service.place("data_nets"), f"`dtnctl apply --replace {live.service.session.name}` recreates it"
    yield judge(
        "container.mtu",
        f"{live.name} on {network}",
        interface.mtu == wanted if interface is not None and wanted else None,
        expected=f"{wanted}" if wanted else "that of the network",
        actual=interface.mtu if interface is not None else "",
        fix=fix,
        place=place,
    )
    yield judge(
        "container.link",
        f"{live.name} on {network}",
        interface.is_up if interface is not None else None,
        expected="up",
        actual="up" if interface is not None and interface.is_up else "down",
        fix=fix,
        place=place,
    )


def _wanted_mtu(network: str, examined: Examined) -> int | None:
    """The network's declared MTU, else that of the interface that carries it here."""
    declared = examined.site.networks[network].value.mtu if network in examined.site.networks else None
    carried = next((item.stack[0].mtu for item in examined.carriers if item.network == network and item.stack), None)
    return declared or carried


def _interface_on(network: str, live: LiveService) -> ContainerInterface | None:
    """The container's interface on the network: the one that has its address there."""
    given = {address for item in live.seen.addresses if item.network == network for address in (item.ipv4, item.ipv6) if address}
    found = live.net.interfaces if live.net is not None else ()
    return next((item for item in found if given & {address.partition("/")[0] for address in item.addresses}), None)


def _bridge(live: LiveService, examined: Examined) -> Iterator[Finding]:
    """Only where data is known to move: the service carries a transfer or has data networks."""
    nets = live.service.profile.data_nets
    if not nets and not any(live.service.key in resolved.keys for resolved in examined.resolved_transfers):
        return
    names = [net.name for net in nets] or [net.name for net in live.service.nets]
    bridges = [name for name in names if name not in examined.site.networks or examined.site.networks[name].value.driver_row.is_inside_host]
    yield judge(
        "container.bridge",
        live.name,
        not bridges,
        expected="data over macvlan, ipvlan, sriov or the host's network",
        actual=f"data over bridge {', '.join(bridges)}" if bridges else ", ".join(names),
        fix="a data network with `driver: sriov` or macvlan, or `mgmt_net: host`",
        place=live.service.place("data_nets" if nets else "mgmt_net"),
        severity="info" if (examined.speed or 0) <= BRIDGE_IS_ENOUGH else None,
    )


# --- what it may use ----------------------------------------------------------------------------------------


def _limit(name: str, live: LiveService) -> int | None:
    """The container's own limit; where none is set, what its first process has by the agent."""
    limits = live.net.limits if live.net is not None else {}
    return next((item.soft for item in live.seen.spec.ulimits if item.name == name), limits.get(name))


def _limits(live: LiveService) -> Iterator[Finding]:
    spec, files = live.seen.spec, _limit("nofile", live)
    if live.wants_rdma:
        memlock = _limit("memlock", live)
        is_exempt = spec.privileged or "IPC_LOCK" in spec.cap_add
        yield judge(
            "container.memlock",
            live.name,
            is_exempt or (None if memlock is None else memlock == UNLIMITED),
            expected="memlock unlimited, or IPC_LOCK",
            actual="IPC_LOCK" if is_exempt else _limit_text(memlock),
            fix="`limits: {memlock: -1}` in its profile",
            place=live.service.place("devices"),
        )
    yield judge(
        "container.nofile",
        live.name,
        None if files is None else files == UNLIMITED or files >= LEAST_FILES,
        expected=f"at least {LEAST_FILES}",
        actual=_limit_text(files),
        fix=f"`limits: {{nofile: {2 * LEAST_FILES}}}` in its profile",
        place=live.service.place("limits", "nofile"),
    )


def _limit_text(limit: int | None) -> str:
    return "unlimited" if limit == UNLIMITED else str(limit)


def _memory(live: LiveService, examined: Examined) -> Iterator[Finding]:
    """By the largest of the transfers that it carries; several at once need more."""
    streams = max((_streams(resolved) for resolved in examined.resolved_transfers if live.service.key in resolved.keys), default=0)
    limit = live.seen.spec.memory
    if not streams or not limit:
        return
    sysctls = examined.facts.sysctls if live.is_host_networked else live.net.sysctls if live.net is not None else {}
    buffers = [last_number(sysctls.get(f"net.ipv4.tcp_{word}", "")) for word in ("rmem", "wmem")]
    needed = BUFFER_FACTOR * streams * max((size for size in buffers if size is not None), default=0)
    yield judge(
        "container.memory",
        live.name,
        None if not needed else limit >= needed,
        expected=f"at least {_gib(needed)}, {BUFFER_FACTOR} × {plural(streams, 'stream')} × largest TCP buffer",
        actual=_gib(limit),
        fix=f"`memory: {-(-needed // 2**30)}GiB` in its profile, or fewer streams",
        place=live.service.place("memory"),
    )


def _streams(resolved: ResolvedTransfer) -> int:
    return resolved.transfer.value.parallelism * resolved.transfer.value.concurrency


def _gib(size: int) -> str:
    return f"{size / 2**30:.4g} GiB"


# --- where its transfers go ---------------------------------------------------------------------------------


def _paths(resolved: ResolvedTransfer, examined: Examined) -> Iterator[Finding]:
    ends = (
        ("from", resolved.source_endpoint, resolved.source_path),
        ("to", resolved.destination_endpoint, resolved.destination_path),
    )
    for field, endpoint, path in ends:
        service = next((item for item in examined.services if item.key == (endpoint, resolved.session)), None)
        if service is not None:
            volumes = {volume.target: volume.kind for volume in service.profile.volumes}
            target = innermost(clean_data_path(path), volumes)
            kept = sorted(item for item, kind in volumes.items() if kind != "tmpfs")
            yield judge(
                "volume.path",
                path,
                target in kept,
                expected=f"below {' or '.join(kept)}" if kept else "below a volume that is no tmpfs",
                actual=f"below {target}" if target in kept else f"the tmpfs {target}",
                fix=f"`volumes: [HOST-FOLDER:{target}]` in the profile of session {resolved.session}",
                place=resolved.transfer.where(field),
            )
