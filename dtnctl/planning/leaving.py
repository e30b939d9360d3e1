"""Which steps take our containers off a network, so that it can go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dtnctl.model.actions import DisconnectNetwork, RemoveContainer, ReplaceContainer
from dtnctl.model.plan import Step
from dtnctl.model.resources import ContainerSeen, EndpointSeen


def leaving_steps(seen: EndpointSeen, steps: Iterable[Step]) -> Mapping[str, tuple[str, ...]]:
    """By network, those of the endpoint's steps after which a container of ours that was on it is not."""
    by_id = {item.id: item for item in seen.containers}
    by_name = {item.name: item for item in seen.containers}
    leavers: dict[str, set[str]] = {}
    for step in steps:
        for network in _left(step, by_id, by_name):
            leavers.setdefault(network, set()).add(step.id)
    return {network: tuple(sorted(ids)) for network, ids in leavers.items()}


def _left(step: Step, by_id: Mapping[str, ContainerSeen], by_name: Mapping[str, ContainerSeen]) -> Iterator[str]:
    match step.action:
        case RemoveContainer(id=container_id) if container_id in by_id:
            yield from by_id[container_id].networks
        case DisconnectNetwork(container=name, network=network) if network in by_name[name].networks:
            yield network
        case ReplaceContainer(container=name, spec=spec):
            yield from by_name[name].networks - {item.network for item in spec.attachments}
        case _:
            pass
