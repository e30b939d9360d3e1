"""What services get of the hosts themselves: virtual functions, whole CPUs, verbs devices. Pure.

Everything here needs the facts of the endpoint's agent. What others hold counts as taken; a service that cannot get what it
asks for is refused with who has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dtnctl.model.hardware import cpu_numbers, cpu_text, disks_below, nodes_of, rdma_devices
from dtnctl.model.plan import AGENT_NEEDED
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.choices.disposition import Disposition
from dtnctl.planning.choices.host_view import HostView, host_view, sriov_networks
from dtnctl.planning.choices.physical_functions import PfPlan, refuse_without, study_pfs
from dtnctl.planning.choices.pinning import Cpus, choose_cpus, data_interface
from dtnctl.planning.choices.virtual_functions import VfChoice, VfChooser
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key, Service

VERBS = "uverbs"
ABILITIES = ("vf", "driver")  # what an agent needs for networks of virtual functions


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a service gets of the host itself. `verbs` are device files; `notes` are warnings for the reader of the plan."""

    vfs: tuple[VfChoice, ...] = ()
    cpu_set: str = ""
    memory_nodes: str = ""
    verbs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


NO_HARDWARE = Hardware()


@dataclass(slots=True)
class HardwarePlan:
    """What came out, by service; by endpoint the physical functions in use, those that cannot be as declared, and what is said beside."""

    chosen: dict[Key, Hardware] = field(default_factory=dict)
    refused: dict[Key, tuple[Refusal, ...]] = field(default_factory=dict)
    pfs: dict[str, Mapping[str, PfPlan]] = field(default_factory=dict)
    refused_pfs: dict[str, Mapping[str, Refusal]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def needs_agent(service: Service) -> str:
    """The field of the profile that cannot be without the endpoint's agent; empty if none."""
    profile = service.profile
    if sriov_networks(service):
        return service.field_of(sriov_networks(service)[0])
    if VERBS in profile.devices:
        return "devices"
    if profile.near is not None:
        return "near"
    return "qos" if profile.qos is not None else ""


def allocate_hardware(site: Site, services: tuple[Service, ...], snapshot: Snapshot, disposition: Disposition) -> HardwarePlan:
    """Choices for all services at once. The order of services and of observation changes nothing."""
    plan = HardwarePlan()
    by_endpoint: dict[str, list[Service]] = {name: [] for name in site.endpoints}
    for service in services:
        by_endpoint[service.endpoint.name].append(service)
    for name, here in sorted(by_endpoint.items()):
        seen = snapshot.endpoints.get(name)
        if seen is None or seen.is_silent:
            continue
        if seen.host is None:
            plan.refused |= {service.key: (_no_agent(service, seen),) for service in here if _waits_for_agent(service)}
        else:
            _allocate(host_view(site, tuple(here), seen, seen.host, disposition), plan)
    return plan


def _waits_for_agent(service: Service) -> bool:
    """What no agent does on an endpoint that is declared without one, its backend does not do either, and has said so."""
    return bool(needs_agent(service)) and service.endpoint.value.agent is not None


def _no_agent(service: Service, seen: EndpointSeen) -> Refusal:
    """Validation has seen that the endpoint has an agent; it does not answer, or was not asked."""
    field_name = needs_agent(service)
    text = f"`{field_name}` needs the agent of endpoint {seen.name}: {seen.agent_silence or 'it was not asked'}"
    return Refusal(AGENT_NEEDED, service.cause(text, field_name), "the agent's answer; nothing of this session is touched until then")


def _allocate(here: HostView, plan: HardwarePlan) -> None:
    physical = study_pfs(here)
    refuse_without(here, physical)
    _refuse_unable(here)
    vfs = VfChooser(here, physical.plans).run()
    cpus = choose_cpus(here)
    for service in here.services:
        if service.key not in here.refused:
            own = tuple(vfs[service.key][network] for network in sriov_networks(service) if network in vfs[service.key])
            _conclude(here, service, own, cpus.get(service.key, ()), plan)
    plan.refused |= here.refused
    plan.pfs[here.name] = physical.plans
    plan.refused_pfs[here.name] = physical.refused
    plan.notes += physical.notes


def _refuse_unable(here: HostView) -> None:
    """Services on networks of virtual functions, where the agent cannot give any of them to a container."""
    lacks = next((lacks for ability in ABILITIES if (lacks := here.host.lacks(ability))), "")
    for service in here.services:
        if lacks and sriov_networks(service):
            network = sriov_networks(service)[0]
            text = f"network {network} needs virtual functions, but the agent of {here.name} cannot provide any: {lacks}"
            here.refuse(service, AGENT_NEEDED, text, service.field_of(network), "to fix that on the endpoint; its agent's log says more")


def _conclude(here: HostView, service: Service, vfs: tuple[VfChoice, ...], cpus: Cpus, plan: HardwarePlan) -> None:
    verbs = _verbs(here, service, vfs) if VERBS in service.profile.devices else ()
    if service.key not in here.refused:
        nodes = cpu_text(nodes_of(here.host, cpus))
        plan.chosen[service.key] = Hardware(vfs, cpu_text(cpus), nodes, verbs, tuple(_warnings(here, service, cpus)))


# --- verbs devices ------------------------------------------------------------------------------------------


def _verbs(here: HostView, service: Service, vfs: tuple[VfChoice, ...]) -> tuple[str, ...]:
    """The device files of exactly the functions or interfaces that are its own; it is refused if there are none."""
    used = _interfaces(service)
    if vfs:
        devices = [item for vf in vfs if vf.exists for item in rdma_devices(here.host, pci=vf.pci)]
    else:
        found = [nic for name in used if (nic := here.interface(name)) is not None]
        devices = [item for nic in found for item in rdma_devices(here.host, interface=nic)]
    files = tuple(sorted({f"/dev/infiniband/{item.uverbs}" for item in devices if item.uverbs}))
    if not files:
        _refuse_verbs(here, service, vfs, used)
    return files


def _interfaces(service: Service) -> tuple[str, ...]:
    """Those that carry its networks; on the host's network all that the endpoint names."""
    names = service.endpoint.value.interfaces
    used = names.values() if service.is_host_networked else (names[net.name] for net in service.nets if net.name in names)
    return tuple(dict.fromkeys(used))


def _refuse_verbs(here: HostView, service: Service, vfs: tuple[VfChoice, ...], used: tuple[str, ...]) -> None:
    if vfs:
        what = f"virtual function {vfs[0].pci} on {here.name}"
    elif used:
        what = f"interface {', '.join(used)} of {here.name}"
    else:
        what = f"the service on {here.name}, which is on no interface of the endpoint's `interfaces:`,"
    if any(not vf.exists for vf in vfs):
        text, fix = f"{what} has no verbs device before it exists", "this apply to make it, then another one"
    else:
        text, fix = f"{what} has no verbs device", "an interface with RDMA, or `devices` without uverbs"
    here.refuse(service, "E0474", text, "devices", fix)


# --- warnings -----------------------------------------------------------------------------------------------


def _warnings(here: HostView, service: Service, cpus: Cpus) -> Iterator[str]:
    """Paths between NIC, CPUs and disks that cross from one socket to another."""
    nic = data_interface(here.host, service)
    if nic is None and service.profile.near == "data_net":
        yield f"which interface it uses on {here.name} is not known, so its CPUs are any"
    node = nic.numa_node if nic is not None else None
    if nic is None or node is None:
        return
    chosen = nodes_of(here.host, cpus or cpu_numbers(service.profile.cpu_set or ""))
    if chosen and chosen != (node,):
        yield f"its CPUs are on NUMA node {cpu_text(chosen)}, interface {nic.name} is on node {node} (cross-socket)"
    for volume in service.profile.volumes:
        if volume.kind == "bind":
            yield from (f"{text}, interface {nic.name} is on node {node} (cross-socket)" for text in _far(here, volume.source or "", node))


def _far(here: HostView, folder: str, node: int) -> Iterator[str]:
    """Disks of the folder that are on other nodes. An array has no node itself, its disks have."""
    disks = [disk for disk in disks_below(here.host, folder) if disk.numa_node is not None and disk.numa_node != node]
    for far in sorted({disk.numa_node for disk in disks if disk.numa_node is not None}):
        names = ", ".join(disk.name for disk in disks if disk.numa_node == far)
        yield f"{folder} is on {names} at NUMA node {far}"
