"""Makes the templates that pods claim devices by, and removes those that none is made by any more."""

from __future__ import annotations

from collections.abc import Iterable

from dtnctl.errors import EngineError, NotFoundError
from dtnctl.model.resources import ContainerSpec, Pairs
from dtnctl.providers.kubernetes.claims import LABEL_CLAIMS, claim_templates
from dtnctl.providers.kubernetes.cluster import Cluster, owns
from dtnctl.providers.kubernetes.identity import object_name

KIND = "resourceclaimtemplates"
NO_CLAIMS = "the cluster has no ResourceClaimTemplate of resource.k8s.io/v1: device classes need Kubernetes 1.34 or newer"


def keep_claims(cluster: Cluster, name: str, spec: ContainerSpec, labels: Pairs) -> None:
    """Make the templates that the container's pods claim by. EngineError if the cluster has no such kind of object."""
    for made in claim_templates(name, spec, labels, cluster.place):
        try:
            cluster.connection.apply(cluster.paths.of(KIND, made["metadata"]["name"]), made)
        except NotFoundError:
            raise EngineError(NO_CLAIMS) from None


def remove_claims(cluster: Cluster, name: str, but: Iterable[ContainerSpec] = ()) -> None:
    """Remove those of a container but those of these specs. Nothing is asked where the endpoint's file declares no class."""
    if not cluster.place.claims:
        return
    kept = {made["metadata"]["name"] for spec in but for made in claim_templates(name, spec, (), cluster.place)}
    selector = f"{LABEL_CLAIMS}={object_name(name, cluster.place.endpoint)}"
    for raw in cluster.connection.items(cluster.paths.of(KIND), labelSelector=selector):
        if raw["metadata"]["name"] not in kept and owns(cluster, raw):
            cluster.connection.remove(cluster.paths.of(KIND, raw["metadata"]["name"]), raw["metadata"]["uid"])
