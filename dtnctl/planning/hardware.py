"""Chooses virtual functions, whole CPUs and verbs devices: what a service has stays, else the lowest free one. Pure.

Everything here needs the facts of the endpoint's agent. What others hold counts as taken; a service that cannot get what it
asks for is refused with who has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dtnctl.model.hardware import cpu_numbers, cpu_text, disk_below, interface_named, interrupt_cpus, nodes_of, rdma_devices, vf_pci
from dtnctl.model.plan import ConfigureVf
from dtnctl.model.resources import ContainerSeen, EndpointSeen, Snapshot
from dtnctl.model.site import BUILT_IN_NETWORKS, Network, Site
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key, Service

if TYPE_CHECKING:
    from dtn_agent.protocol import HeldVf, Host, Interface

VERBS = "uverbs"
MIXED = "vfio-pci"  # the driver that gives a function to a virtual machine


@dataclass(frozen=True, slots=True)
class VfChoice:
    """The virtual function that a service gets for a network, with its settings, and how it is now if we have it already."""

    settings: ConfigureVf
    node: int | None
    held: HeldVf | None

    @property
    def network(self) -> str:
        return self.settings.network


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a service gets of the host itself. `verbs` are device files; `notes` are warnings for the reader of the plan."""

    vfs: tuple[VfChoice, ...] = ()
    cpu_set: str = ""
    memory_nodes: str = ""
    verbs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


NO_HARDWARE = Hardware()


@dataclass(frozen=True, slots=True)
class PfPlan:
    """A physical function in use: how many virtual ones it has, and will have. `grows` if this plan makes them."""

    name: str
    current: int
    count: int
    obstacle: str = ""

    @property
    def grows(self) -> bool:
        return self.count != self.current


@dataclass(slots=True)
class HardwarePlan:
    """What came out, by service; and the physical functions in use, by endpoint."""

    chosen: dict[Key, Hardware] = field(default_factory=dict)
    refused: dict[Key, Refusal] = field(default_factory=dict)
    pfs: dict[str, dict[str, PfPlan]] = field(default_factory=dict)


def sriov_networks(service: Service) -> tuple[str, ...]:
    """The networks that the service gets a virtual function for."""
    networks = service.site.networks
    return tuple(net.name for net in service.nets if net.name not in BUILT_IN_NETWORKS and networks[net.name].value.driver == "sriov")


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


def stable_mac(site: str, endpoint: str, session: str, network: str) -> str:
    """A MAC of our own (locally administered, unicast) that depends on names alone, so that peers see the same one after a replacement."""
    digest = hashlib.sha256(f"{site}/{endpoint}/{session}/{network}".encode()).hexdigest()
    return ":".join(["02", *(digest[place : place + 2] for place in range(0, 10, 2))])


def allocate_hardware(site: Site, services: tuple[Service, ...], snapshot: Snapshot, leaving: frozenset[Key]) -> HardwarePlan:
    """Choices for all services at once. `leaving` are live containers, as (endpoint, name), that this plan removes."""
    plan = HardwarePlan()
    by_endpoint: dict[str, list[Service]] = {name: [] for name in site.endpoints}
    for service in services:
        by_endpoint[service.endpoint.name].append(service)
    for name, here in by_endpoint.items():
        seen = snapshot.endpoints.get(name)
        if seen is None or seen.is_silent:
            continue
        wanting = [service for service in here if needs_agent(service)]
        if seen.host is None:
            plan.refused |= {service.key: _no_agent(service, seen) for service in wanting}
        elif wanting or site.endpoints[name].value.vfs:
            _Endpoint(site, here, seen, seen.host, leaving, plan).run()
    return plan


def _no_agent(service: Service, seen: EndpointSeen) -> Refusal:
    field_name = needs_agent(service)
    if service.endpoint.value.agent is None:
        text = f"`{field_name}` needs the agent of endpoint {seen.name}, which has none"
        fix = f"`agent: https://…` in {service.endpoint.file}; `dtnctl endpoints add` installs one"
        return Refusal("E0470", service.cause(text, field_name), fix)
    text = f"`{field_name}` needs the agent of endpoint {seen.name}: {seen.agent_silence}"
    return Refusal("E0470", service.cause(text, field_name), "the agent's answer; nothing of this session is touched until then")


class _Endpoint:
    """The choices on one endpoint whose agent answered."""

    def __init__(
        self, site: Site, services: list[Service], seen: EndpointSeen, host: Host, leaving: frozenset[Key], plan: HardwarePlan
    ) -> None:
        self.site = site
        self.endpoint = site.endpoints[seen.name]
        self.seen = seen
        self.host = host
        self.plan = plan
        self.live = {item.name: item for item in seen.containers}
        self.leaving = {name for endpoint, name in leaving if endpoint == seen.name}
        # What lives keeps what it has before anything new is chosen.
        self.services = sorted(services, key=lambda service: (service.container not in self.live, service.key))
        self.taken: dict[str, dict[int, str]] = {}
        self.vfs: dict[Key, dict[str, VfChoice]] = {service.key: {} for service in services}
        self.cpus: dict[Key, tuple[int, ...]] = {}

    def run(self) -> None:
        self._study_pfs()
        for keep in (True, False):
            for service in self.services:
                self._choose_vfs(service, keep=keep)
        self._choose_cpus()
        for service in self.services:
            if service.key not in self.plan.refused:
                self._conclude(service)

    def _refuse(self, service: Service, code: str, text: str, field_name: str, fix: str) -> None:
        self.plan.refused.setdefault(service.key, Refusal(code, service.cause(text, field_name), fix))

    # --- virtual functions ---

    def _study_pfs(self) -> None:
        found = self.plan.pfs[self.seen.name] = {}
        for name, count in sorted(self.endpoint.value.vfs.items()):
            pf = interface_named(self.host, name)
            if pf is not None and pf.sriov is not None:
                found[name] = self._pf_plan(pf, count)
                self.taken[name] = dict(self._taken(pf))
        for service in self.services:
            for network in sriov_networks(service):
                self._study_pf(service, network)

    def _study_pf(self, service: Service, network: str) -> None:
        name = service.endpoint.value.interfaces[network]
        found = self.plan.pfs[self.seen.name]
        pf = interface_named(self.host, name)
        if pf is None or pf.sriov is None:
            what = "has no SR-IOV" if pf is not None else "is not there"
            others = ", ".join(item.name for item in self.host.facts.interfaces if item.sriov is not None) or "no interface"
            text = f"interface {name} of {self.seen.name} {what}"
            self._refuse(service, "E0471", text, service.field_of(network), f"another interface: {others} has SR-IOV")
            return
        if name not in found:
            found[name] = self._pf_plan(pf, 0)
            self.taken[name] = dict(self._taken(pf))
        if found[name].count == 0:
            why = f": {found[name].obstacle}" if found[name].obstacle else ""
            text = f"interface {name} of {self.seen.name} has no virtual functions{why}"
            fix = f"`vfs: {{{name}: {min(8, pf.sriov.total)}}}` in {service.endpoint.file}; it can have {pf.sriov.total}"
            self._refuse(service, "E0471", text, service.field_of(network), fix)

    def _pf_plan(self, pf: Interface, declared: int) -> PfPlan:
        """More virtual functions are made only where there are none, or where we made them and nobody has one."""
        assert pf.sriov is not None
        current = pf.sriov.current
        if declared <= current:
            return PfPlan(pf.name, current, current)
        if declared > pf.sriov.total:
            return PfPlan(pf.name, current, current, f"{declared} are declared, it can have {pf.sriov.total}")
        is_ours = any(item.interface == pf.name and item.site == self.site.name for item in self.host.held.pfs)
        in_use = any(vf.holder for vf in pf.sriov.vfs) or any(item.pf == pf.name for item in self.host.held.vfs)
        if current and (in_use or not is_ours):
            why = "some are in use" if in_use else "they were made by somebody else"
            what = f"{declared} are declared, but the {current} that are there would have to go first, and {why}"
            return PfPlan(pf.name, current, current, what)
        return PfPlan(pf.name, current, declared)

    def _taken(self, pf: Interface) -> Iterator[tuple[int, str]]:
        """What cannot be chosen, and who has it; what is held for our own sessions is theirs."""
        assert pf.sriov is not None
        for vf in pf.sriov.vfs:
            netdev = interface_named(self.host, vf.netdev) if vf.netdev else None
            if vf.driver == MIXED:
                yield vf.index, f"{MIXED}, a virtual machine presumably"
            elif vf.holder and not vf.holder.startswith(f"{self.site.name}/"):
                yield vf.index, vf.holder
            elif netdev is not None and (netdev.master or _routable(netdev.addresses)):
                yield vf.index, f"the host itself ({vf.netdev}: {netdev.master or ', '.join(netdev.addresses)})"
        for held in self.host.held.vfs:
            if held.pf == pf.name:
                owner = held.owner
                yield held.index, f"session {owner.session}" if owner.site == self.site.name else f"site {owner.site}"

    def _choose_vfs(self, service: Service, *, keep: bool) -> None:
        for network in sriov_networks(service):
            name = service.endpoint.value.interfaces[network]
            plan = self.plan.pfs[self.seen.name].get(name)
            if plan is None or service.key in self.plan.refused or network in self.vfs[service.key]:
                continue
            index = self._kept(service, network, plan) if keep else self._free(plan)
            if index is not None:
                self.taken[name][index] = f"session {service.session.name}"
                self.vfs[service.key][network] = self._choice(service, network, name, index)
            elif not keep:
                holders = ", ".join(f"{number} by {who}" for number, who in sorted(self.taken[name].items()) if number < plan.count)
                text = f"no free virtual function on {name} of {self.seen.name}: it has {plan.count}; held are {holders}"
                fix = plan.obstacle or f"more of them (`vfs:` in {service.endpoint.file}), or one session less"
                self._refuse(service, "E0472", text, service.field_of(network), fix)

    def _kept(self, service: Service, network: str, plan: PfPlan) -> int | None:
        """The function that the ledger has for it; else the one that its live container names, if nobody else has that."""
        for held in self.host.held.vfs:
            owner = (held.owner.site, held.owner.session, held.owner.network)
            if held.pf == plan.name and owner == (self.site.name, service.session.name, network) and held.index < plan.count:
                return held.index
        live = self.live.get(service.container)
        named = {item.network: item.vf for item in live.spec.attachments} if live is not None else {}
        pf = interface_named(self.host, plan.name)
        assert pf is not None
        free = (index for index in range(plan.count) if index not in self.taken[plan.name])
        return next((index for index in free if named.get(network) and vf_pci(pf, index) == named[network]), None)

    def _free(self, plan: PfPlan) -> int | None:
        return next((index for index in range(plan.count) if index not in self.taken[plan.name]), None)

    def _choice(self, service: Service, network: str, pf_name: str, index: int) -> VfChoice:
        pf = interface_named(self.host, pf_name)
        assert pf is not None
        held = next((item for item in self.host.held.vfs if (item.pf, item.index) == (pf_name, index)), None)
        declared: Network = self.site.networks[network].value
        mac = stable_mac(self.site.name, self.seen.name, service.session.name, network) if declared.mac != "keep" else None
        settings = ConfigureVf(
            session=service.session.name,
            network=network,
            interface=pf_name,
            index=index,
            pci=vf_pci(pf, index),
            mac=mac,
            vlan=declared.vlan,
            vlan_priority=declared.vlan_priority,
            trust=declared.trust,
            spoofchk=declared.spoofchk,
            min_rate=declared.min_rate,
            max_rate=declared.max_rate,
            mtu=declared.mtu,
        )
        return VfChoice(settings, pf.numa_node, held)

    # --- processors ---

    def _choose_cpus(self) -> None:
        """Named CPUs come first, then what lives keeps its own, then the lowest free ones."""
        taken = self._cpus_of_others()
        pinned = [service for service in self.services if service.profile.near is not None and service.key not in self.plan.refused]
        for service in pinned:
            kept = self._kept_cpus(service, taken)
            if kept:
                self.cpus[service.key] = kept
                taken |= dict.fromkeys(kept, f"session {service.session.name}")
        for service in pinned:
            if service.key not in self.cpus:
                self._new_cpus(service, taken)
                taken |= dict.fromkeys(self.cpus.get(service.key, ()), f"session {service.session.name}")

    def _cpus_of_others(self) -> dict[int, str]:
        """CPUs that no service may choose: those that others are pinned to, and those that the owner keeps."""
        taken: dict[int, str] = {}
        declared = {service.container for service in self.services}
        for item in self.live.values():
            if item.name not in declared | self.leaving and item.kind == "service":
                taken |= dict.fromkeys(cpu_numbers(item.spec.cpu_set), f"session {item.owner}")
        for service in self.services:
            taken |= dict.fromkeys(cpu_numbers(service.profile.cpu_set or ""), f"session {service.session.name}")
        endpoint = self.endpoint.value
        reserved = endpoint.reserved_cpus or ""
        numbers = interrupt_cpus(self.host, endpoint.interfaces.values()) if reserved == "irq" else cpu_numbers(reserved)
        return taken | dict.fromkeys(numbers, "the endpoint's `reserved_cpus`")

    def _kept_cpus(self, service: Service, taken: Mapping[int, str]) -> tuple[int, ...]:
        live: ContainerSeen | None = self.live.get(service.container)
        numbers = cpu_numbers(live.spec.cpu_set) if live is not None else ()
        is_right = len(numbers) == int(service.profile.cpus or 0) and set(numbers) <= set(self._near(service))
        return numbers if is_right and not set(numbers) & taken.keys() else ()

    def _new_cpus(self, service: Service, taken: Mapping[int, str]) -> None:
        wanted = int(service.profile.cpus or 0)
        near = self._near(service)
        free = [number for number in near if number not in taken]
        if service.profile.near == "any":
            groups = [[number for number in free if number in cpu_numbers(node.cpus)] for node in self.host.facts.cpus.numa]
            free = next((group for group in groups if len(group) >= wanted), free)
        if len(free) >= wanted:
            self.cpus[service.key] = tuple(free[:wanted])
            return
        holders = sorted({taken[number] for number in near if number in taken})
        nic = self._nic(service) if service.profile.near == "data_net" else None
        where = f"near {nic.name} of {self.seen.name}" if nic is not None else f"on {self.seen.name}"
        text = f"{wanted} CPUs {where} are asked for, {len(free)} of {len(near)} are free"
        text += f"; held by {', '.join(holders)}" if holders else ""
        self._refuse(service, "E0473", text, "cpus", f"`cpus: {len(free)}`" if free else "`near: any`, or another endpoint")

    def _near(self, service: Service) -> tuple[int, ...]:
        """The CPUs that it may be pinned to, the owner's and others' included."""
        online = cpu_numbers(self.host.facts.cpus.online)
        if service.profile.near == "any":
            return online
        nic = self._nic(service)
        local = cpu_numbers(nic.local_cpus) if nic is not None and nic.numa_node is not None else ()
        return tuple(number for number in online if number in local) if local else online

    def _nic(self, service: Service) -> Interface | None:
        """The interface that carries its primary data network; on the host's network the only one that the endpoint names."""
        interfaces = service.endpoint.value.interfaces
        names = [interfaces[net.name] for net in service.profile.data_nets if net.name in interfaces]
        if service.is_host_networked and len(set(interfaces.values())) == 1:
            names = list(interfaces.values())
        return interface_named(self.host, names[0]) if names else None

    # --- the rest ---

    def _conclude(self, service: Service) -> None:
        vfs = tuple(self.vfs[service.key][network] for network in sriov_networks(service))
        verbs = self._verbs(service, vfs) if VERBS in service.profile.devices else ()
        if verbs is None:
            return
        cpus = self.cpus.get(service.key, ())
        nodes = cpu_text(nodes_of(self.host, cpus))
        self.plan.chosen[service.key] = Hardware(vfs, cpu_text(cpus), nodes, verbs, tuple(self._warnings(service, cpus)))

    def _verbs(self, service: Service, vfs: tuple[VfChoice, ...]) -> tuple[str, ...] | None:
        """The device files of exactly the functions or interfaces that are its own; None if it was refused for want of one."""
        if vfs:
            devices = [item for vf in vfs for item in rdma_devices(self.host, pci=vf.settings.pci)]
            what = f"virtual function {vfs[0].settings.pci}"
        else:
            names = service.endpoint.value.interfaces
            used = names.values() if service.is_host_networked else [names[net.name] for net in service.nets if net.name in names]
            found = [item for name in used if (item := interface_named(self.host, name)) is not None]
            devices = [item for nic in found for item in rdma_devices(self.host, interface=nic)]
            what = f"interface {', '.join(used)}" if used else "the service, which has no interface of the endpoint's `interfaces:`"
        files = tuple(sorted({f"/dev/infiniband/{item.uverbs}" for item in devices if item.uverbs}))
        if files:
            return files
        is_new = any(self.plan.pfs[self.seen.name][vf.settings.interface].grows for vf in vfs)
        text = f"{what} on {self.seen.name} has no verbs device" + (" before it exists" if is_new else "")
        fix = "this apply to make the functions, then another one" if is_new else "an interface with RDMA, or `devices` without uverbs"
        self._refuse(service, "E0474", text, "devices", fix)
        return None

    def _warnings(self, service: Service, cpus: tuple[int, ...]) -> Iterator[str]:
        nic = self._nic(service)
        node = nic.numa_node if nic is not None else None
        if nic is None or node is None:
            return
        chosen = nodes_of(self.host, cpus or cpu_numbers(service.profile.cpu_set or ""))
        if chosen and chosen != (node,):
            yield f"its CPUs are on NUMA node {cpu_text(chosen)}, interface {nic.name} is on node {node} (cross-socket)"
        for volume in service.profile.volumes:
            disk = disk_below(self.host, volume.source or "") if volume.kind == "bind" else None
            if disk is not None and disk.numa_node is not None and disk.numa_node != node:
                where = f"{volume.source} is on {disk.name} at NUMA node {disk.numa_node}"
                yield f"{where}, interface {nic.name} is on node {node} (cross-socket)"


def _routable(addresses: Iterable[str]) -> bool:
    """Whether the host uses them: every interface that is up has a link-local one."""
    return any(not address.lower().startswith("fe80:") for address in addresses)
