"""Whether a service differs because its endpoint's file named another node, or another way to publish ports, when it was applied. Pure.

Neither is a part of the spec, whose digest distinguishes drift from a change in Git. The cluster records who set a field: what dtnctl
applied and no other manager has changed since is as the file said then.
"""

from __future__ import annotations

from collections.abc import Iterable

from dtnctl.providers.kubernetes.identity import NOTHING, Json
from dtnctl.providers.kubernetes.node_ports import PORTS_NOTE
from dtnctl.providers.kubernetes.owned_fields import applied_by_us
from dtnctl.providers.kubernetes.place import Place
from dtnctl.providers.kubernetes.pod_seen import pinned_node


def is_of_older_file(raw: Json, place: Place) -> bool:
    """Asks who set the fields only where they differ: that takes far longer."""
    return _is_for_another(raw, place) and _is_for_another(applied_by_us(raw), place)


def _is_for_another(raw: Json, place: Place) -> bool:
    template: Json = (raw.get("spec") or NOTHING).get("template") or NOTHING
    pod: Json = template.get("spec") or NOTHING
    node = pinned_node((pod.get("affinity") or NOTHING).get("nodeAffinity") or NOTHING)
    return (bool(node) and node != place.node) or _publishes_otherwise(template, pod, place)


def _publishes_otherwise(template: Json, pod: Json, place: Place) -> bool:
    if not place.node_ports:
        return PORTS_NOTE in ((template.get("metadata") or NOTHING).get("annotations") or NOTHING)
    containers: Iterable[Json] = pod.get("containers") or ()
    return any("hostPort" in port for container in containers for port in container.get("ports") or ())
