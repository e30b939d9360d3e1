"""The networks that an endpoint should have, and the changes and steps that get them there. Pure.

A network exists on an endpoint while a service there uses it. A changed one is recreated, since engines cannot change
networks: all our containers on it are recreated with it. Where one of them is to be left as it is, or somebody else's
container is on it, the network stays and the services that want the new one are refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dtnctl.model.actions import CreateNetwork, RemoveNetwork
from dtnctl.model.backends import Backend
from dtnctl.model.ownership import labels, spec_digest
from dtnctl.model.plan import Cause, Change, FieldChange, Step
from dtnctl.model.resources import LABEL_SPEC, ContainerSeen, EndpointSeen, NetworkSeen, NetworkSpec
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Endpoint, Network, Site
from dtnctl.planning.choices.parents import refuse_parent
from dtnctl.planning.containers.compare import Difference, compare_network, network_options
from dtnctl.planning.containers.powers import network_powers
from dtnctl.planning.containers.specs import network_spec
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service
from dtnctl.planning.scope import Scope
from dtnctl.planning.step_ids import network_id, remove_network_id

# The field of a network's file that a field of the engine's network comes from.
_DECLARED = {"parent": "vlan", "subnets": "subnet", "ipv6": "subnet6"}
# How to go on where sessions of ours are in the way, and where a network of others is.
IN_THIS_RUN = "use another network, or include those sessions in this run"
OF_OTHERS = "use another network, or remove {name} there if nothing needs it any more: dtnctl did not make it and leaves it alone"


@dataclass(slots=True)
class NetworkPlan:
    """One endpoint's networks: what is used, what is missing, recreated or removed in this plan, what cannot be.

    `room`: for a network that is created, those that must be removed first, since an engine takes no subnet and no parent twice.
    """

    endpoint: str
    specs: dict[str, NetworkSpec] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    rebuilt: dict[str, tuple[Difference, ...]] = field(default_factory=dict)
    unused: frozenset[str] = frozenset()
    room: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    seen: Mapping[str, NetworkSeen] = field(default_factory=dict)

    @property
    def made(self) -> frozenset[str]:
        return frozenset(self.missing | self.rebuilt.keys())

    @property
    def removed_in_use(self) -> frozenset[str]:
        """Networks that go while containers on them stay wanted: these must be recreated."""
        return frozenset(self.rebuilt).union(*self.room.values())

    def is_drift(self, name: str) -> bool:
        """Whether the network was made by what Git says now, so that it was changed on the endpoint."""
        if name not in self.specs or self.seen[name].is_of_older_file:
            return False
        return self.seen[name].labels.get(LABEL_SPEC) == spec_digest(self.specs[name])


@dataclass(frozen=True, slots=True)
class Users:
    """Who uses networks of one endpoint: its declared services, those that this plan works on, and containers that it leaves.

    `may_remove`: whether networks that are used no more may be removed.
    """

    declared: tuple[Service, ...]
    workable: tuple[Service, ...]
    staying: tuple[ContainerSeen, ...]
    may_remove: bool


NO_OBSTACLES: Mapping[str, Refusal] = {}


def study_networks(
    site: Site,
    endpoint: Document[Endpoint],
    users: Users,
    seen: EndpointSeen,
    scope: Scope,
    obstacles: Mapping[str, Refusal] = NO_OBSTACLES,
) -> NetworkPlan:
    """Compare the networks that the endpoint's services use with what is there. `obstacles`: why a network cannot be made now."""
    live = {network.name: network for network in sorted(seen.networks, key=lambda item: item.id)}
    used = sorted({net.name for service in users.declared for net in service.nets} - set(BUILT_IN_NETWORKS))
    plan = NetworkPlan(endpoint.name, {name: network_spec(name, site.networks[name].value, endpoint.value) for name in used}, seen=live)
    _study_unused(plan, users, seen, scope)
    wanted = {net.name for service in users.workable for net in service.nets}
    for name, spec in plan.specs.items():
        differences = compare_network(spec, live[name].spec) if name in live else ()
        is_right = name in live and not differences and _has_vlan(site.networks[name].value)
        if is_right or not (name in wanted or scope.asks_for("network", name, endpoint.name)):
            continue
        if name in obstacles:
            plan.refused[name] = obstacles[name]
            continue
        obstacle, fix = "", "use another network" if foreign_users(seen, name) else IN_THIS_RUN
        if scope.excluded("network", name, endpoint.name):
            obstacle, fix = "it is excluded", "leave it out of --exclude, or use another network"
        elif name in live:
            obstacle = _users_in_the_way(name, users, seen)
        if obstacle:
            what = f"network {name} on {endpoint.name} {'differs' if name in live else 'is not there'}, but {obstacle}"
            _refuse(plan, site.networks[name], what, fix)
        elif name in live:
            plan.rebuilt[name] = differences
        else:
            plan.missing.add(name)
    _make_room(site, plan, seen)
    running = {net.name for service in users.workable if service.wants_running for net in service.nets}
    _refuse_parents(site, endpoint, plan, running, seen)
    return plan


def _has_vlan(network: Network) -> bool:
    """Whether the VLAN of the path that it goes over is known, if it goes over one."""
    return network.path is None or network.vlan is not None


def _study_unused(plan: NetworkPlan, users: Users, seen: EndpointSeen, scope: Scope) -> None:
    """Which owned networks are declared here no more, and which of them stay because containers are on them."""
    staying = frozenset().union(*(item.networks for item in users.staying))
    free = [name for name in sorted(plan.seen.keys() - plan.specs.keys() - staying) if scope.covers("network", name, seen.name)]
    obstacles = {name: _obstacle_to_removal(plan.seen[name], seen) for name in free}
    plan.kept = tuple(f"network {name} on {seen.name} is used no more but stays: {what}" for name, what in obstacles.items() if what)
    plan.unused = frozenset(name for name in free if users.may_remove and not obstacles[name])


def _obstacle_to_removal(network: NetworkSeen, seen: EndpointSeen) -> str:
    """Why an owned network that is declared no more must stay; empty if it need not. The engine asks its driver before it removes one."""
    strangers = foreign_users(seen, network.name)
    if strangers:
        return f"{', '.join(strangers)}, not ours, is on it"
    needs_agent = network.spec.driver_row.needs_agent
    return f"its driver, the agent of {seen.name}, does not answer" if needs_agent and seen.agent_silence else ""


def _users_in_the_way(name: str, users: Users, seen: EndpointSeen) -> str:
    """Whose use keeps the network from being recreated; empty if it can be."""
    strangers = foreign_users(seen, name)
    if strangers:
        return f"{', '.join(strangers)}, not ours, uses it"
    staying = sorted({item.owner for item in users.staying if name in item.networks})
    return f"session {', '.join(staying)}, which this plan leaves as it is, uses it" if staying else ""


def _make_room(site: Site, plan: NetworkPlan, seen: EndpointSeen) -> None:
    """What has the subnet or the parent of a network that is made goes first, or the network cannot be made."""
    going = plan.unused | plan.rebuilt.keys()
    backend = site.endpoints[plan.endpoint].value.backend(seen.backend)
    for name in sorted(plan.made):
        others = [item for item in plan.seen.values() if item.name != name] + list(seen.foreign_networks)
        in_the_way = {item.name: what for item in others if (what := _shared(plan.specs[name], item.spec))}
        left = sorted(in_the_way.keys() - going)
        if left:
            what = f"network {name} cannot be made on {seen.name}: {in_the_way[left[0]]} is taken by network {left[0]}, which stays"
            _refuse(plan, site.networks[name], what, IN_THIS_RUN if left[0] in plan.seen else OF_OTHERS.format(name=left[0]))
            plan.missing.discard(name)
            plan.rebuilt.pop(name, None)
        elif holder := _interface_in_the_way(plan.specs[name], seen, backend):
            what = f"network {name} cannot be made on {seen.name}: {holder}, and the host needs it"
            _refuse(plan, site.networks[name], what, "use another subnet")
            plan.missing.discard(name)
            plan.rebuilt.pop(name, None)
        elif in_the_way:
            plan.room[name] = tuple(sorted(in_the_way))


def _interface_in_the_way(spec: NetworkSpec, seen: EndpointSeen, backend: Backend) -> str:
    """The host's own interface whose subnet a bridge would take from it, as far as an agent shows them.

    Engines look at the host's routes only where they choose a subnet themselves. Their own bridges are judged as networks.
    """
    if not spec.driver_row.is_inside_host or seen.host is None:
        return ""
    wanted = [ipaddress.ip_network(item.subnet) for item in spec.subnets]
    of_engines = backend.own_interfaces(network.id for network in (*seen.networks, *seen.foreign_networks))
    for interface in (item for item in seen.host.facts.interfaces if item.name not in of_engines):
        for address in map(ipaddress.ip_interface, interface.addresses):
            taken = next((str(item) for item in wanted if item.version == address.version and item.overlaps(address.network)), "")
            if taken:
                return f"subnet {taken} is that of interface {interface.name} ({address})"
    return ""


def _refuse_parents(site: Site, endpoint: Document[Endpoint], plan: NetworkPlan, running: set[str], seen: EndpointSeen) -> None:
    """Networks that are made, or that somebody should run on, and that what they are on top of cannot carry."""
    if seen.host is None:
        return
    for name in sorted((running | plan.made) & plan.specs.keys()):
        refusal = refuse_parent(site.name, site.networks[name], endpoint, seen.host, is_made=name in plan.made)
        if refusal is not None:
            plan.refused[name] = refusal
            plan.missing.discard(name)
            plan.rebuilt.pop(name, None)


def _shared(one: NetworkSpec, other: NetworkSpec) -> str:
    """What both need and an engine gives once: a parent interface, addresses."""
    if one.parent and one.parent == other.parent:
        return f"interface {one.parent}"
    mine_all = [ipaddress.ip_network(item.subnet) for item in one.subnets]
    yours_all = [ipaddress.ip_network(item.subnet, strict=False) for item in other.subnets]  # people give engines host addresses too
    pairs = ((mine, yours) for mine in mine_all for yours in yours_all)
    return next((f"subnet {mine}" for mine, yours in pairs if mine.version == yours.version and mine.overlaps(yours)), "")


def _refuse(plan: NetworkPlan, document: Document[Network], what: str, fix: str) -> None:
    plan.refused[document.name] = Refusal("E0422", Cause(what, document.file, document.mark().line), fix)


def foreign_users(seen: EndpointSeen, network: str) -> tuple[str, ...]:
    """Names of other people's containers on the network."""
    return tuple(sorted(item.name for item in seen.foreign if any(address.network == network for address in item.addresses)))


def plan_present(
    site: Site,
    plan: NetworkPlan,
    pulls: Mapping[str, tuple[str, ...]],
    leavers: Mapping[str, tuple[str, ...]],
    below: Mapping[str, tuple[str, ...]],
) -> Iterator[tuple[Change, tuple[Step, ...]]]:
    """Create what is missing, after the `pulls` that all its users wait for; recreate what differs, after its `leavers`.

    `below` are the steps that make the interface that a network is on top of.
    """
    for name in sorted(plan.made):
        spec = plan.specs[name]
        pairs = labels(site.name, plan.endpoint, "network", name, name, spec_digest(spec))
        room = (remove_network_id(plan.endpoint, other) for other in plan.room.get(name, ()))
        needs = (*pulls.get(name, ()), *below.get(name, ()), *room)
        create = Step(network_id(plan.endpoint, name), plan.endpoint, CreateNetwork(name, spec, pairs), needs)
        if name in plan.missing:
            yield _create_change(plan.endpoint, site.networks[name], spec, create), (create,)
        else:
            yield _rebuild(plan, site.networks[name], create, leavers.get(name, ()))


def _create_change(endpoint: str, document: Document[Network], spec: NetworkSpec, step: Step) -> Change:
    facts = [("driver", spec.driver), *network_options(spec)]
    facts += [("subnet", subnet.subnet) for subnet in spec.subnets]
    if not spec.internal:
        facts += [("gateway", subnet.gateway) for subnet in spec.subnets if subnet.gateway]
    else:
        facts.append(("default route", "none"))
    return Change(
        mark="create",
        kind="network",
        name=document.name,
        endpoint=endpoint,
        cause=Cause("used, not there", document.file, document.mark().line),
        summary=f"creates network {document.name}",
        allocations=tuple(facts),
        powers=network_powers(spec),
        steps=(step.id,),
    )


def _rebuild(plan: NetworkPlan, document: Document[Network], create: Step, leavers: tuple[str, ...]) -> tuple[Change, tuple[Step, ...]]:
    name = document.name
    remove = _remove_step(plan, name, leavers)
    create = Step(create.id, create.endpoint, create.action, (*create.needs, remove.id))
    fields = tuple(_field_change(document, difference) for difference in plan.rebuilt[name])
    change = Change(
        mark="replace",
        kind="network",
        name=name,
        endpoint=plan.endpoint,
        cause=fields[0].cause,
        summary=f"recreates network {name}",
        fields=fields,
        steps=(remove.id, create.id),
        is_drift=plan.is_drift(name),
        powers=network_powers(plan.specs[name]),
        interrupts=f"every service on {name} at {plan.endpoint} is recreated",
    )
    return change, (remove, create)


def _remove_step(plan: NetworkPlan, name: str, leavers: tuple[str, ...]) -> Step:
    return Step(remove_network_id(plan.endpoint, name), plan.endpoint, RemoveNetwork(name, plan.seen[name].id), leavers)


def _field_change(document: Document[Network], difference: Difference) -> FieldChange:
    declared = _DECLARED.get(difference.field, difference.field)
    cause = Cause(f"{difference.field} differs", document.file, document.mark((declared,)).line, declared)
    return FieldChange(difference.field, difference.before, difference.after, True, cause)


def plan_unused(plan: NetworkPlan, leavers: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[Change, tuple[Step, ...]]]:
    """Remove owned networks that no service uses, after the steps that take our containers off them."""
    for name in sorted(plan.unused):
        step = _remove_step(plan, name, leavers.get(name, ()))
        change = Change(
            mark="destroy",
            kind="network",
            name=name,
            endpoint=plan.endpoint,
            cause=Cause("no service here uses it"),
            summary=f"removes network {name}",
            steps=(step.id,),
        )
        yield change, (step,)
