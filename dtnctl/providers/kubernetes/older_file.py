"""Whether a service differs because its endpoint's file named another node, or another way to publish ports, when it was applied. Pure.

Neither is a part of the spec, whose digest distinguishes drift from a change in Git. The cluster records who set a field: what dtnctl
applied and no other manager has changed since is as the file said then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dtnctl.providers.kubernetes.identity import NOTHING, Json
from dtnctl.providers.kubernetes.node_ports import PORTS_NOTE
from dtnctl.providers.kubernetes.owned_fields import applied_by_us
from dtnctl.providers.kubernetes.place import Place
from dtnctl.providers.kubernetes.pod_seen import pinned_node


def is_of_older_file(raw: Json, place: Place) -> bool:
    applied: Mapping[str, Any] = (applied_by_us(raw).get("spec") or NOTHING).get("template") or NOTHING
    pod: Mapping[str, Any] = applied.get("spec") or NOTHING
    node = pinned_node((pod.get("affinity") or NOTHING).get("nodeAffinity") or NOTHING)
    return (bool(node) and node != place.node) or _publishes_otherwise(applied, pod, place)


def _publishes_otherwise(applied: Json, pod: Json, place: Place) -> bool:
    if not place.node_ports:
        return PORTS_NOTE in ((applied.get("metadata") or NOTHING).get("annotations") or NOTHING)
    ports = (port for container in pod.get("containers") or () for port in container.get("ports") or ())
    return any("hostPort" in port for port in ports)
