"""The order of steps: who takes a port or an address starts after its holder let go, and every step stands after its needs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter

from dtnctl.model.actions import (
    ConnectNetwork,
    CreateContainer,
    DisconnectNetwork,
    RemoveContainer,
    ReplaceContainer,
    StartContainer,
    StopContainer,
)
from dtnctl.model.plan import Step
from dtnctl.model.resources import PREPARED_SUFFIX, ContainerSeen
from dtnctl.planning.choices.holdings import ACTIVE_STATES, Holdings, addresses, holdings, live_holdings
from dtnctl.planning.resolve import Key

Place = tuple[str, object]  # (endpoint, port) or (network, address)


def in_order(steps: Iterable[Step], live: Mapping[Key, ContainerSeen]) -> tuple[Step, ...]:
    """The steps by endpoint and id, each right after those that it needs, with the needs that handovers bring about.

    CycleError if steps wait for each other: no plan may have that, and execution would never end.
    """
    known = {step.id: step for step in with_handovers(tuple(steps), live)}
    TopologicalSorter({step.id: (*step.needs, *step.follows) for step in known.values()}).prepare()
    ordered: dict[str, Step] = {}
    stack = sorted(known.values(), key=lambda item: (item.endpoint, item.id), reverse=True)
    while stack:  # by hand and not by recursion: handovers can chain all services of an endpoint
        step = stack[-1]
        waiting = [known[item] for item in reversed((*step.needs, *step.follows)) if item not in ordered]
        if waiting and step.id not in ordered:
            stack += waiting
        else:
            ordered[step.id] = stack.pop()
    return tuple(ordered.values())


def with_handovers(steps: tuple[Step, ...], live: Mapping[Key, ContainerSeen]) -> Iterator[Step]:
    """Steps that take what a container lets go of in the same plan, on whatever endpoint, wait for that."""
    released: dict[Place, tuple[str, Key]] = {}
    for step in steps:
        for key, place in _releases(step, live):
            released.setdefault(place, (step.id, key))
    making = (CreateContainer, ReplaceContainer)
    created = {(step.endpoint, step.action.container): step.action for step in steps if isinstance(step.action, making)}
    for step in steps:
        waited = [released[place] for place in _takes(step, created, live) if place in released]
        further = sorted({step_id for step_id, key in waited if key != _container(step)})
        needs = tuple(dict.fromkeys((*step.needs, *further)))
        yield step if needs == step.needs else replace(step, needs=needs)


def _container(step: Step) -> Key:
    return step.endpoint, getattr(step.action, "container", "")


def _releases(step: Step, live: Mapping[Key, ContainerSeen]) -> Iterator[tuple[Key, Place]]:
    """What a step makes free that is really held: a container that does not run holds nothing."""
    if not isinstance(step.action, (StopContainer, RemoveContainer, DisconnectNetwork)):
        return
    key = _container(step)
    seen = live.get(key)
    if seen is None or seen.state not in ACTIVE_STATES:
        return
    held = live_holdings(seen)
    if isinstance(step.action, DisconnectNetwork):
        network = step.action.network
        held = Holdings((), tuple(item for item in held.addresses if item[0] == network))
    yield from ((key, place) for place in _places(step.endpoint, held))


def _takes(step: Step, created: Mapping[Key, CreateContainer | ReplaceContainer], live: Mapping[Key, ContainerSeen]) -> Iterator[Place]:
    """What a container holds from this step on: all it was made for when it starts, an address when it is connected while it is active.

    A new container is connected before it is started, and takes nothing by that.
    """
    if isinstance(step.action, ConnectNetwork):
        if _container(step) not in created:
            yield from addresses((step.action.attachment,))
    elif isinstance(step.action, ReplaceContainer):
        if step.action.start:
            yield from _places(step.endpoint, holdings(step.action.spec))
    elif isinstance(step.action, StartContainer):
        key = _container(step)
        made = created.get(key) or created.get((key[0], key[1] + PREPARED_SUFFIX))
        yield from _places(step.endpoint, holdings(made.spec if made is not None else live[key].spec))


def _places(endpoint: str, held: Holdings) -> Iterator[Place]:
    yield from ((endpoint, port) for port in held.ports)
    yield from held.addresses
