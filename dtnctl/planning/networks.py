"""The networks that an endpoint should have, and the changes and steps that get them there. Pure.

A network exists on an endpoint while a service there uses it. A changed one is made anew, since engines cannot change
networks: all our containers on it are made anew with it, and with somebody else's container on it nothing is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dtnctl.model.plan import Cause, Change, CreateNetwork, FieldChange, RemoveNetwork, Step
from dtnctl.model.resources import LABEL_SPEC, EndpointSeen, NetworkSeen, NetworkSpec
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Endpoint, Network, Site
from dtnctl.planning.allocate import Refusal
from dtnctl.planning.compare import DECLARED_AS, Difference, compare_network
from dtnctl.planning.resolve import Service
from dtnctl.planning.specs import labels, network_spec, spec_digest

# The field of a network's file that a field of the engine's network comes from.
_DECLARED = {"options": "driver", "subnets": "subnet", "ipv6": "subnet6", "internal": "internal"}


@dataclass(slots=True)
class NetworkPlan:
    """One endpoint's networks: what is used, what is made anew, what cannot be."""

    endpoint: str
    specs: dict[str, NetworkSpec] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    rebuilt: dict[str, tuple[Difference, ...]] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)
    seen: Mapping[str, NetworkSeen] = field(default_factory=dict)


def study_networks(site: Site, endpoint: Document[Endpoint], services: tuple[Service, ...], seen: EndpointSeen) -> NetworkPlan:
    """Compare the networks that the endpoint's services use with what is there."""
    plan = NetworkPlan(endpoint.name, seen={network.name: network for network in seen.networks})
    used = sorted({net.name for service in services for net in service.nets} - set(BUILT_IN_NETWORKS))
    for name in used:
        document = site.networks[name]
        if document.value.driver == "sriov" or (document.value.driver != "bridge" and name not in endpoint.value.interfaces):
            continue  # the service is refused for it
        spec = plan.specs[name] = network_spec(name, document.value, endpoint.value)
        if name not in plan.seen:
            plan.missing.add(name)
            continue
        differences = compare_network(spec, plan.seen[name].spec)
        strangers = foreign_users(seen, name)
        if differences and strangers:
            text = f"network {name} differs but {', '.join(strangers)} on {endpoint.name}, not ours, uses it"
            plan.refused[name] = Refusal("E0422", Cause(text, document.file, document.mark().line), "a new network name")
        elif differences:
            plan.rebuilt[name] = differences
    return plan


def foreign_users(seen: EndpointSeen, network: str) -> tuple[str, ...]:
    """Names of other people's containers on the network."""
    return tuple(sorted(item.name for item in seen.foreign if any(address.network == network for address in item.addresses)))


def create_step_id(endpoint: str, network: str) -> str:
    return f"{endpoint}/network/{network}"


def plan_present(
    site: Site, plan: NetworkPlan, needed: set[str], leavers: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Change, tuple[Step, ...]]]:
    """Create what is missing and `needed`; make anew what differs, after the steps that take our containers off it (`leavers`)."""
    for name in sorted((plan.missing & needed) | set(plan.rebuilt)):
        document = site.networks[name]
        spec = plan.specs[name]
        pairs = labels(site.name, plan.endpoint, "network", name, name, spec_digest(spec))
        create = Step(create_step_id(plan.endpoint, name), plan.endpoint, CreateNetwork(name, spec, pairs))
        if name in plan.missing:
            cause = Cause("used, not there", document.file, document.mark().line)
            yield _create_change(plan.endpoint, name, spec, cause, create), (create,)
            continue
        live = plan.seen[name]
        remove = Step(f"{plan.endpoint}/remove-network/{name}", plan.endpoint, RemoveNetwork(name, live.id), leavers.get(name, ()))
        create = Step(create.id, create.endpoint, create.action, (remove.id,))
        fields = tuple(_field_change(document, difference) for difference in plan.rebuilt[name])
        yield (
            Change(
                mark="replace",
                kind="network",
                name=name,
                endpoint=plan.endpoint,
                cause=fields[0].cause,
                summary=f"makes network {name} anew",
                fields=fields,
                steps=(remove.id, create.id),
                is_drift=live.labels.get(LABEL_SPEC) == spec_digest(spec),
                interrupts=f"every service on {name} at {plan.endpoint} is made anew",
            ),
            (remove, create),
        )


def _create_change(endpoint: str, name: str, spec: NetworkSpec, cause: Cause, step: Step) -> Change:
    facts = [("driver", spec.driver), *spec.options, *(("subnet", subnet.subnet) for subnet in spec.subnets)]
    if not spec.internal:
        facts += [("gateway", subnet.gateway) for subnet in spec.subnets if subnet.gateway]
    else:
        facts.append(("default route", "none"))
    return Change(
        mark="create",
        kind="network",
        name=name,
        endpoint=endpoint,
        cause=cause,
        summary=f"creates network {name}",
        allocations=tuple(facts),
        steps=(step.id,),
    )


def _field_change(document: Document[Network], difference: Difference) -> FieldChange:
    declared = _DECLARED.get(difference.field, DECLARED_AS.get(difference.field, difference.field))
    cause = Cause(f"{difference.field} differs", document.file, document.mark((declared,)).line, declared)
    return FieldChange(difference.field, difference.before, difference.after, True, cause)


def plan_unused(
    plan: NetworkPlan, seen: EndpointSeen, staying: set[str], leavers: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Change, tuple[Step, ...]] | str]:
    """Remove owned networks that no service uses. One that something still uses stays, with a note instead of a change.

    `staying` are networks that containers keep using although no service wants them there.
    """
    for name, network in sorted(plan.seen.items()):
        if name in plan.specs or name in staying:
            continue
        strangers = foreign_users(seen, name)
        if strangers:
            yield f"network {name} on {plan.endpoint} is used no more but stays: {', '.join(strangers)}, not ours, is on it"
            continue
        step = Step(f"{plan.endpoint}/remove-network/{name}", plan.endpoint, RemoveNetwork(name, network.id), leavers.get(name, ()))
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
