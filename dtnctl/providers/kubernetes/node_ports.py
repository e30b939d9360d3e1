"""Published ports by a Service of type NodePort, for clusters that refuse pods a port of the host. Pure.

A pod says in a note which ports are to be published, since a template has no place for them. The Service is there while its pod is meant
to run, so that a stopped service holds no port. Only the pod's own node answers (`externalTrafficPolicy: Local`), and the pod sees the
callers' addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dtnctl.model.resources import ForeignSeen, PortBinding
from dtnctl.providers.kubernetes.identity import LABEL_OBJECT, NAME_NOTE, NOTHING, PART_OF, Json, Object, annotations_of, short_digest

PORTS_NOTE = "dtnctl/node-ports"
LONGEST_NAME = 63  # of a Service: no dots in it, and a letter first


def ports_text(ports: Iterable[PortBinding]) -> str:
    """The note for ports that are to be published: `30000:22/tcp`, with commas between them."""
    return ",".join(f"{port.host}:{port.container}/{port.protocol}" for port in sorted(ports))


def ports_in(text: str) -> tuple[PortBinding, ...]:
    """The same from the note; none if it is not of our making."""
    try:
        return tuple(sorted(_binding(*item.replace("/", ":").split(":")) for item in text.split(",") if item))
    except (TypeError, ValueError):
        return ()


def _binding(host: str, container: str, protocol: str) -> PortBinding:
    return PortBinding(int(host), int(container), protocol)


def service_name(object_name: str) -> str:
    """The Service of a Deployment."""
    ending = f"-{short_digest(object_name)}"
    return f"dtn-{object_name.replace('.', '-')}"[: LONGEST_NAME - len(ending)].rstrip("-") + ending


def service_of(deployment: Json) -> Object:
    """The Service that publishes what a Deployment's pods are to publish. It is marked as the Deployment is."""
    made, marked = deployment["metadata"], deployment["spec"]["template"]["metadata"]
    ports = ports_in(annotations_of(deployment["spec"]["template"]).get(PORTS_NOTE, ""))
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": service_name(made["name"]),
            "namespace": made["namespace"],
            "labels": {key: value for key, value in made["labels"].items() if key in marked["labels"] or key == PART_OF},
            "annotations": {key: value for key, value in made["annotations"].items() if key.startswith("dtnctl.") or key == NAME_NOTE},
        },
        "spec": {
            "type": "NodePort",
            "externalTrafficPolicy": "Local",
            "ipFamilyPolicy": "PreferDualStack",
            "selector": {LABEL_OBJECT: made["labels"][LABEL_OBJECT]},
            "ports": [_port(port) for port in ports],
        },
    }


def _port(port: PortBinding) -> Object:
    numbers = {"port": port.host, "targetPort": port.container, "nodePort": port.host}
    return {"name": f"{port.protocol}-{port.host}", "protocol": port.protocol.upper(), **numbers}


def published_by(service: Json) -> tuple[PortBinding, ...]:
    """The ports of the nodes that a Service holds, in the order of ports."""
    ports: Iterable[Json] = (service.get("spec") or NOTHING).get("ports") or ()
    return tuple(sorted(_published(port) for port in ports if port.get("nodePort")))


def _published(port: Json) -> PortBinding:
    """A target that is a name is somebody else's, and only the node's port counts of it."""
    target = port.get("targetPort")
    return PortBinding(int(port["nodePort"]), target if isinstance(target, int) else 0, str(port.get("protocol") or "TCP").lower())


def other_services(services: Iterable[Json]) -> Iterator[ForeignSeen]:
    """Those of others that hold ports of the cluster's nodes."""
    for raw in services:
        held = tuple((port.host, port.protocol) for port in published_by(raw))
        if held:
            yield ForeignSeen(f"{raw['metadata'].get('namespace', '')}/{raw['metadata']['name']}", raw["metadata"]["uid"], held, ())
