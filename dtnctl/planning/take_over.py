"""What a session would change if it took the place of a container that another program made. Pure.

The plan is made as if that container and its networks were gone: what it holds is what the session would get.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from dtnctl.model.actions import CreateContainer, CreateNetwork
from dtnctl.model.comparison import Comparison
from dtnctl.model.plan import Plan
from dtnctl.model.resources import ContainerSeen, NetworkSeen, Snapshot, service_name
from dtnctl.model.site import Site
from dtnctl.planning.containers.compare import Difference, compare_container, compare_network
from dtnctl.planning.planner import make_plan

SET, NOT_SET = "(set)", "(not set)"


def compare_take_over(site: Site, snapshot: Snapshot, session: str, endpoint: str, other: ContainerSeen, now: datetime) -> Comparison:
    """Every field of the container that differs, and what stands in the way besides it."""
    seen = snapshot.endpoints[endpoint]
    attached = {item.network for item in other.spec.attachments}
    networks = tuple(item for item in seen.foreign_networks if item.name in attached and item.name in site.networks)
    alone = replace(
        seen,
        foreign=tuple(item for item in seen.foreign if item.id != other.id),
        foreign_networks=tuple(item for item in seen.foreign_networks if item not in networks),
    )
    plan = make_plan(site, replace(snapshot, endpoints={**snapshot.endpoints, endpoint: alone}), now=now)
    actions = [step.action for step in plan.steps if step.endpoint == endpoint]
    name = service_name(site.name, session)
    wanted = next((item.spec for item in actions if isinstance(item, CreateContainer) and item.container == name), None)
    backend = site.endpoints[endpoint].value.backend(seen.backend)
    differences = () if wanted is None else compare_container(wanted, other, seen.images, backend)
    fields = tuple((item.field, *_values(item)) for item in differences)
    obstacles = (*_blocked(plan, session, endpoint, is_planned=wanted is not None), *_networks(plan, endpoint, networks))
    return Comparison(session, endpoint, other.name, fields, obstacles)


def _values(difference: Difference) -> tuple[str, str]:
    """Values of another program's environment are not shown: they may be secrets."""
    if not difference.field.startswith("env."):
        return difference.before, difference.after
    return difference.before if difference.before == NOT_SET else SET, difference.after


def _blocked(plan: Plan, session: str, endpoint: str, *, is_planned: bool) -> Iterator[str]:
    blocked = [change for change in plan.blocked if (change.kind, change.name, change.endpoint) == ("session", session, endpoint)]
    yield from (f"{change.cause.text} ({change.cause.file}:{change.cause.line})" for change in blocked)
    if not is_planned and not blocked:
        yield f"session {session} has its own container on {endpoint} already, or is not to be there"


def _networks(plan: Plan, endpoint: str, networks: tuple[NetworkSeen, ...]) -> Iterator[str]:
    """Networks of the same name: the other program's have to go before ours can be made."""
    wanted = {
        item.action.network: item.action.spec for item in plan.steps if item.endpoint == endpoint and isinstance(item.action, CreateNetwork)
    }
    for network in networks:
        text = f"network {network.name} was made by another program, and has to be removed before dtnctl makes its own"
        spec = wanted.get(network.name)
        differences = compare_network(spec, network.spec) if spec is not None else ()
        found = ", ".join(f"{item.field} {item.before} → {item.after}" for item in differences)
        yield f"{text}; it differs in {found}" if found else text
