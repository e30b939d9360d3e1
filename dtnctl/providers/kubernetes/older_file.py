"""Whether a service differs because its endpoint's file said something else when it was applied: another node, another way to publish
ports, other resources or device classes. Pure.

None of these is a part of the spec, whose digest distinguishes drift from a change in Git. The cluster records who set a field: what dtnctl
applied and no other manager has changed since is as the file said then.
"""

from __future__ import annotations

from collections.abc import Iterable

from dtnctl.model.resources import Device
from dtnctl.providers.kubernetes.claims import pod_claims
from dtnctl.providers.kubernetes.identity import NAME_NOTE, NOTHING, Json, annotations_of
from dtnctl.providers.kubernetes.node_ports import PORTS_NOTE
from dtnctl.providers.kubernetes.owned_fields import applied_by_us
from dtnctl.providers.kubernetes.place import Place
from dtnctl.providers.kubernetes.pod_seen import pinned_node
from dtnctl.providers.kubernetes.pod_template import extended_resources
from dtnctl.providers.kubernetes.workloads import spec_as_noted


def is_of_older_file(raw: Json, place: Place) -> bool:
    """Asks who set the fields only where they differ: that takes far longer.

    Resources count where the service asks for one that the file does not say any more: one that is missing may have been taken by hand.
    """
    stands_for = _resources_by_file(raw, place)
    return _is_for_another(raw, place, stands_for) and _is_for_another(applied_by_us(raw), place, stands_for)


def _is_for_another(raw: Json, place: Place, stands_for: frozenset[str]) -> bool:
    template: Json = (raw.get("spec") or NOTHING).get("template") or NOTHING
    pod: Json = template.get("spec") or NOTHING
    node = pinned_node((pod.get("affinity") or NOTHING).get("nodeAffinity") or NOTHING)
    return (bool(node) and node != place.node) or _publishes_otherwise(template, pod, place) or bool(_asked_in(pod) - stands_for)


def _asked_in(pod: Json) -> frozenset[str]:
    """Extended resources, and claims with their templates, that a pod asks for."""
    containers: Iterable[Json] = pod.get("containers") or ()
    limits = (name for container in containers for name in (container.get("resources") or NOTHING).get("limits") or NOTHING)
    return frozenset(name for name in limits if "/" in name) | _claims(pod.get("resourceClaims") or ())


def _claims(claims: Iterable[Json]) -> frozenset[str]:
    return frozenset(f"{item.get('name')} {item.get('resourceClaimTemplateName')}" for item in claims)


def _resources_by_file(raw: Json, place: Place) -> frozenset[str]:
    """The same of what the file now says for the devices and networks that the service was applied with; nothing where it asks for none."""
    template = raw["spec"]["template"]
    if not _asked_in(template["spec"]):
        return frozenset()
    spec, name = spec_as_noted(raw, place, holds=_any), annotations_of(template).get(NAME_NOTE, "")
    return frozenset(extended_resources(spec, place)) | _claims(pod_claims(name, spec, place))


def _publishes_otherwise(template: Json, pod: Json, place: Place) -> bool:
    if not place.node_ports:
        return PORTS_NOTE in ((template.get("metadata") or NOTHING).get("annotations") or NOTHING)
    containers: Iterable[Json] = pod.get("containers") or ()
    return any("hostPort" in port for container in containers for port in container.get("ports") or ())


def _any(device: Device) -> bool:
    del device
    return True
