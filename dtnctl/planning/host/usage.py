"""How much of an endpoint's hardware our services use before and after a plan, for its table. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dtnctl.model.actions import CreateContainer, HostRequest, RemoveContainer, ReplaceContainer, UpdateContainer
from dtnctl.model.hardware import cpu_numbers, pinned_by_node
from dtnctl.model.plan import Step, Usage
from dtnctl.model.resources import EndpointSeen, main_name
from dtnctl.planning.choices.physical_functions import PfPlan

if TYPE_CHECKING:
    from dtn_agent.protocol import Host


def vf_usage(seen: EndpointSeen, site: str, pfs: Mapping[str, PfPlan], steps: Iterable[Step]) -> Usage | None:
    """Virtual functions of the interfaces that are in use, before or after; None where none is."""
    if seen.host is None:
        return None
    before = {(held.pf, held.index) for held in seen.host.held.vfs if held.owner.site == site}
    if not pfs and not before:
        return None
    after = set(before)
    for step in steps:
        match step.action:
            case HostRequest(request=request) if request.do == "configure-vf":
                after.add((request.pf, request.index))
            case HostRequest(request=request) if request.do == "release-vf":
                after.discard((request.pf, request.index))
            case _:
                pass
    names = {name for name, _ in before} | pfs.keys()
    return Usage(len(before), len(after), sum(pfs[name].count if name in pfs else _current(seen.host, name) for name in names))


def _current(host: Host, name: str) -> int:
    """How many an interface has that nothing in this plan is about."""
    return next((item.sriov.current for item in host.facts.interfaces if item.name == name and item.sriov is not None), 0)


def cpu_usage(seen: EndpointSeen, steps: Iterable[Step]) -> tuple[tuple[int, Usage], ...]:
    """CPUs that our services are pinned to, by NUMA node; nothing where none is, before or after."""
    if seen.host is None:
        return ()
    before = {item.name: item.spec.cpu_set for item in seen.containers if item.kind == "service" and not item.is_aside}
    after = dict(before)
    for step in steps:
        match step.action:
            case RemoveContainer():
                after.pop(step.action.container, None)
            case CreateContainer() | ReplaceContainer():
                after[main_name(step.action.container)] = step.action.spec.cpu_set
            case UpdateContainer() if step.action.cpu_set is not None:
                after[step.action.container] = step.action.cpu_set
            case _:
                pass
    was, will = pinned_by_node(seen.host, before.values()), pinned_by_node(seen.host, after.values())
    if not any(was.values()) and not any(will.values()):
        return ()
    nodes = seen.host.facts.cpus.numa
    return tuple((node.node, Usage(was[node.node], will[node.node], len(cpu_numbers(node.cpus)))) for node in nodes)
