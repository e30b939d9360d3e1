"""Makes and removes the Services that publish ports of nodes: one is there while its Deployment is meant to run."""

from __future__ import annotations

from dtnctl.errors import ConflictError
from dtnctl.providers.kubernetes.cluster import Cluster, found, owns
from dtnctl.providers.kubernetes.identity import Json, annotations_of, name_of
from dtnctl.providers.kubernetes.inventory import drop_from_inventory, list_in_inventory
from dtnctl.providers.kubernetes.node_ports import PORTS_NOTE, service_name, service_of

KIND = "Service"


def publish(cluster: Cluster, deployment: Json) -> None:
    """Publish what the Deployment's pods are to publish. A port that another Service has is refused in the server's words."""
    if not has_node_ports(deployment):
        return
    made = service_of(deployment)
    path = cluster.paths.of("services", made["metadata"]["name"])
    live = found(cluster, path)
    if live is not None and not owns(cluster, live):
        raise ConflictError(f"the Service {made['metadata']['name']} is not ours; it is left alone", 409)
    cluster.connection.apply(path, made)
    list_in_inventory(cluster, KIND, made["metadata"]["name"])


def unpublish(cluster: Cluster, deployment: Json) -> None:
    """Let its ports go, so that another service may have them."""
    if not has_node_ports(deployment):
        return
    name = service_name(deployment["metadata"]["name"])
    live = found(cluster, cluster.paths.of("services", name))
    if live is not None and owns(cluster, live, name_of(deployment)):
        cluster.connection.remove(cluster.paths.of("services", name), live["metadata"]["uid"])
    drop_from_inventory(cluster, KIND, name)


def has_node_ports(deployment: Json) -> bool:
    return PORTS_NOTE in annotations_of(deployment["spec"]["template"])
