"""Refuses what the endpoint's backend cannot do, by the line that asks for it. Pure.

A plan that is made offline knows the backend by the endpoint's file, so that a pull request says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dtnctl.model.drivers import ENGINE_BRIDGE
from dtnctl.model.lacks import Lack
from dtnctl.model.plan import Cause
from dtnctl.model.site import BUILT_IN_NETWORKS
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service

CODE = "E0481"


def refuse_lacking(service: Service) -> Iterator[Refusal]:
    """Every field of the service, and of its networks, that asks for what cannot be."""
    for field, lack in sorted(service.backend.lacks.items()):
        value = getattr(service.profile, field)
        if _asks(service, lack, value, value):
            yield Refusal(CODE, service.cause(_text(service, f"`{field}`", lack), field), lack.fix)
    for name in sorted({net.name for net in service.nets} - set(BUILT_IN_NETWORKS)):
        yield from _of_network(service, name)


def _of_network(service: Service, name: str) -> Iterator[Refusal]:
    document = service.site.networks[name]
    row = document.value.driver_row
    if name == service.backend.own_network:
        text = f"network {name} is not possible on {service.endpoint.name}, which is {service.backend.name}: its own network has this name"
        yield Refusal(CODE, Cause(text, document.file, document.mark().line), f"another name; its own network is `{ENGINE_BRIDGE}`")
    lacks = {**service.backend.network_lacks, **(service.backend.function_lacks if row.gives_functions else {})}
    for field, lack in sorted(lacks.items()):
        if field == "vlan" and row.tags_vlan == "container":  # nothing of the host's is needed for it
            continue
        if _asks(service, lack, getattr(document.value, field), (service.endpoint.value.interfaces.get(name),)):
            text = _text(service, f"`{field}` of network {name}", lack)
            yield Refusal(CODE, Cause(text, document.file, document.mark((field,)).line, field), lack.fix)


def _asks(service: Service, lack: Lack, value: Any, needs: Any) -> bool:
    """Whether nothing makes up for what is asked: an agent, or a resource of the cluster for each thing that is needed."""
    if lack.by_resource:
        return lack.asks(value) and not set(needs) <= service.endpoint.value.resources
    return lack.asks(value) and not (lack.by_agent and service.endpoint.value.agent is not None)


def _text(service: Service, what: str, lack: Lack) -> str:
    return f"{what} is not possible on {service.endpoint.name}, which is {service.backend.name}: {lack.words}"
