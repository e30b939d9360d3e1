"""Devices that DRA drivers give out, as claims of a pod: which, by which template, and where networks find theirs. Pure.

Each service, and each attempt of a transfer, has templates of its own (ResourceClaimTemplate, resource.k8s.io/v1), named by what is in
them: what a template asks for never changes. A pod's claims are made and removed with it by the cluster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from dtnctl.model.resources import ContainerSpec, Device, Pairs
from dtnctl.providers.kubernetes.identity import Json, Object, metadata, object_name, short_digest
from dtnctl.providers.kubernetes.place import DeviceClass, Place

TEMPLATE = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate"}
LABEL_CLAIMS = "dtnctl.claims"  # of these templates: the object whose pods claim by them
REQUEST = "device"  # the one request of each template


@dataclass(frozen=True, slots=True)
class Claim:
    """`name` within the pod."""

    name: str
    device_class: DeviceClass


def claims_of(spec: ContainerSpec, place: Place) -> tuple[Claim, ...]:
    """What the container claims: for each network of functions one, for its devices one of each class that stands for any of them."""
    classes = {place.claims[item.host] for item in spec.devices if item.host in place.claims}
    return tuple(sorted((*_of_networks(spec, place), *(Claim(_of_devices(item), item) for item in classes)), key=lambda item: item.name))


def _of_networks(spec: ContainerSpec, place: Place) -> Iterator[Claim]:
    for attachment in spec.attachments:
        link = place.links.get(attachment.network)
        if link is not None and link.pf in place.claims:
            yield Claim(claim_of_network(attachment.network), place.claims[link.pf])


def claim_of_network(network: str) -> str:
    """A label, which names of networks need not be."""
    return f"net-{short_digest(network)}"


def _of_devices(device_class: DeviceClass) -> str:
    return f"dev-{short_digest(_text(device_class))}"


def _text(device_class: DeviceClass) -> str:
    return json.dumps([device_class.name, *device_class.selectors])


def resource_of_network(network: str) -> str:
    """How Multus finds the device of a network among those of a pod: the claim and its request."""
    return f"{claim_of_network(network)}/{REQUEST}"


def template_name(name: str, device_class: DeviceClass, place: Place) -> str:
    return object_name(f"{name}.claim-{short_digest(_text(device_class))}", place.endpoint)


def pod_claims(name: str, spec: ContainerSpec, place: Place) -> list[Object]:
    """The pod's own list of claims."""
    return [
        {"name": claim.name, "resourceClaimTemplateName": template_name(name, claim.device_class, place)}
        for claim in claims_of(spec, place)
    ]


def claim_templates(name: str, spec: ContainerSpec, labels: Pairs, place: Place) -> list[Object]:
    """The objects that the pod's claims are made by."""
    return [_template(name, item, labels, place) for item in sorted({claim.device_class for claim in claims_of(spec, place)})]


def _template(name: str, device_class: DeviceClass, labels: Pairs, place: Place) -> Object:
    made = metadata(name, place.endpoint, place.namespace, labels) | {"name": template_name(name, device_class, place)}
    made["labels"][LABEL_CLAIMS] = object_name(name, place.endpoint)
    chosen = [{"cel": {"expression": text}} for text in device_class.selectors]
    asked = {"deviceClassName": device_class.name, "allocationMode": "ExactCount", "count": 1} | ({"selectors": chosen} if chosen else {})
    return {**TEMPLATE, "metadata": made, "spec": {"spec": {"devices": {"requests": [{"name": REQUEST, "exactly": asked}]}}}}


def holds_network(pod: Json, name: str, network: str, place: Place) -> bool:
    """Whether the live pod of this container claims a network's function by the class of the endpoint's file, where that has one."""
    link = place.links.get(network)
    if link is None or link.pf not in place.claims:
        return True
    wanted = (claim_of_network(network), template_name(name, place.claims[link.pf], place))
    return any((item.get("name"), item.get("resourceClaimTemplateName")) == wanted for item in pod.get("resourceClaims") or ())


def holds_claim(pod: Json, device: Device, place: Place) -> bool:
    """Whether a live pod claims a device of the class that stands for this one."""
    if device.host not in place.claims:
        return False
    name = _of_devices(place.claims[device.host])
    return any(item.get("name") == name for item in pod.get("resourceClaims") or ())
