"""One ConfigMap per endpoint that lists what dtnctl made there, with the labels of an ApplySet: kubectl sees what belongs together.

https://kubernetes.io/docs/reference/labels-annotations-taints/ describes these labels. dtnctl itself finds its objects by their labels.
Steps of one plan take turns to change the list. Each change is of the version that was read: another program's meanwhile is a conflict.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from dtnctl.errors import ConflictError, NotFoundError
from dtnctl.model.resources import LABEL_SELF, LABEL_SITE, self_reference
from dtnctl.providers.docker.view import View
from dtnctl.providers.kubernetes.identity import PART_OF, Json, Object, applyset_id, inventory_name, metadata
from dtnctl.providers.kubernetes.paths import Paths

if TYPE_CHECKING:
    from dtnctl.providers.kubernetes.cluster import Cluster
    from dtnctl.providers.kubernetes.connection import Connection

LABEL_ID = "applyset.kubernetes.io/id"
NOTE_TOOLING, NOTE_KINDS = "applyset.kubernetes.io/tooling", "applyset.kubernetes.io/contains-group-kinds"
KINDS = (
    "ConfigMap,Deployment.apps,Job.batch,NetworkAttachmentDefinition.k8s.cni.cncf.io,ResourceClaimTemplate.resource.k8s.io,Secret,Service"
)
TOOLING = "dtnctl/v1"
TRIES = 10  # of a change that others are faster than


def is_inventory(raw: Json) -> bool:
    return LABEL_ID in (raw["metadata"].get("labels") or {})


def inventory(view: View, namespace: str) -> Object:
    """The parent of the set, without entries."""
    name = inventory_name(view.site)
    pairs = tuple(sorted({LABEL_SITE: view.site, LABEL_SELF: self_reference(view.endpoint, name)}.items()))
    made = metadata(name, view.endpoint, namespace, view.signed(pairs))
    del made["labels"][PART_OF]  # a parent is no part of its own set
    made["labels"][LABEL_ID] = applyset_id(made["name"], namespace)
    made["annotations"] |= {NOTE_TOOLING: TOOLING, NOTE_KINDS: KINDS}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": made}


def list_in_inventory(cluster: Cluster, kind: str, name: str) -> None:
    """Add an object; what is listed stays."""
    with cluster.inventory_lock:
        _retried(lambda: _add(cluster.connection, cluster.paths, cluster.view, kind, name))


def drop_from_inventory(cluster: Cluster, kind: str, name: str) -> None:
    """Take an object out; with the last one the list itself goes."""
    with cluster.inventory_lock:
        _retried(lambda: _drop(cluster.connection, cluster.paths, cluster.view, kind, name))


def _retried(change: Callable[[], None]) -> None:
    for _ in range(TRIES - 1):
        with contextlib.suppress(ConflictError):
            return change()
    return change()


def _add(connection: Connection, paths: Paths, view: View, kind: str, name: str) -> None:
    body = inventory(view, paths.namespace)
    live = _found(connection, paths, body) or _empty(connection, paths, body)
    listed = _listed(live)
    if listed.get(f"{kind}.{name}") != name:
        _apply(connection, paths, body, live, {**listed, f"{kind}.{name}": name})


def _drop(connection: Connection, paths: Paths, view: View, kind: str, name: str) -> None:
    body = inventory(view, paths.namespace)
    live = _found(connection, paths, body)
    listed = _listed(live) if live is not None else {}
    if live is None or listed.pop(f"{kind}.{name}", None) is None:
        return
    if listed:
        _apply(connection, paths, body, live, listed)
    else:
        connection.delete(_path(paths, body), live["metadata"]["uid"], version=live["metadata"]["resourceVersion"])


def _apply(connection: Connection, paths: Paths, body: Object, live: Json, listed: Json) -> None:
    read = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
    connection.apply(_path(paths, body), body | {"metadata": body["metadata"] | read, "data": listed})


def _path(paths: Paths, body: Json) -> str:
    return paths.of("configmaps", body["metadata"]["name"])


def _found(connection: Connection, paths: Paths, body: Json) -> Json | None:
    try:
        live: Json = connection.get(_path(paths, body))
    except NotFoundError:
        return None
    return live


def _empty(connection: Connection, paths: Paths, body: Json) -> Json:
    """A new one that says nothing yet: who creates it is one only, and what is applied then is applied over what was read."""
    named = {key: body["metadata"][key] for key in ("name", "namespace")}
    return connection.create(paths.of("configmaps"), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named})


def _listed(live: Json) -> dict[str, str]:
    return dict(live.get("data") or {})
