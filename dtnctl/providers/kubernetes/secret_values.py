"""Values of a service's secret variables, in Secrets of their own: one for each set of values, so that an older spec finds its own."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from dtnctl.errors import EngineError
from dtnctl.model.resources import ContainerSpec, Pairs
from dtnctl.model.secrets import SecretValue, hidden_in
from dtnctl.providers.kubernetes.cluster import Cluster, found, owns
from dtnctl.providers.kubernetes.identity import Object, metadata, object_name
from dtnctl.providers.kubernetes.pod_template import secret_name

LABEL_VALUES = "dtnctl.values"  # of these Secrets: the object that uses them


def keep_values(cluster: Cluster, name: str, spec: ContainerSpec, labels: Pairs) -> None:
    """Make the Secret that the spec names. A spec that was read knows no references: then it must be there. EngineError if it is not."""
    path = cluster.paths.of("secrets", secret_name(name, spec, cluster.place))
    if any(not item.reference for item in spec.secrets):
        if found(cluster, path) is None:
            raise EngineError(f"the values of the secrets that {name} had are not in the cluster any more; apply again")
        return
    values = cluster.view.secrets.values(spec.secrets)
    data = {key: base64.b64encode(value.reveal().encode()).decode() for key, value in values.items()}
    made = metadata(name, cluster.place.endpoint, cluster.place.namespace, labels)
    made |= {"name": secret_name(name, spec, cluster.place)}
    made["labels"][LABEL_VALUES] = object_name(name, cluster.place.endpoint)
    body: Object = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": made, "data": data}
    try:
        cluster.connection.apply(path, body)
    except EngineError as error:  # a server may repeat in its refusal what it was sent
        hidden = hidden_in(str(error), (*values.values(), *(SecretValue(text) for text in data.values())))
        raise type(error)(hidden, error.status) from None


def remove_values(cluster: Cluster, name: str, but: Iterable[ContainerSpec] = ()) -> None:
    """Remove those of a service but those of these specs."""
    kept = {secret_name(name, spec, cluster.place) for spec in but}
    selector = f"{LABEL_VALUES}={object_name(name, cluster.place.endpoint)}"
    for raw in cluster.connection.items(cluster.paths.of("secrets"), labelSelector=selector):
        if raw["metadata"]["name"] not in kept and owns(cluster, raw):
            cluster.connection.remove(cluster.paths.of("secrets", raw["metadata"]["name"]), raw["metadata"]["uid"])
