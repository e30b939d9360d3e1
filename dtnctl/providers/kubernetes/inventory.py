"""One ConfigMap per endpoint that lists what dtnctl made there, with the labels of an ApplySet: kubectl sees what belongs together.

https://kubernetes.io/docs/reference/labels-annotations-taints/ describes these labels. dtnctl itself finds its objects by their labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.errors import NotFoundError
from dtnctl.model.resources import LABEL_SELF, LABEL_SITE, self_reference
from dtnctl.providers.docker.view import View
from dtnctl.providers.kubernetes.identity import PART_OF, Json, Object, applyset_id, inventory_name, metadata
from dtnctl.providers.kubernetes.paths import Paths

if TYPE_CHECKING:
    from dtnctl.providers.kubernetes.connection import Connection

LABEL_ID = "applyset.kubernetes.io/id"
NOTE_TOOLING, NOTE_KINDS = "applyset.kubernetes.io/tooling", "applyset.kubernetes.io/contains-group-kinds"
KINDS = "ConfigMap,Deployment.apps,Job.batch,NetworkAttachmentDefinition.k8s.cni.cncf.io,Secret"
TOOLING = "dtnctl/v1"


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


def list_in_inventory(connection: Connection, paths: Paths, view: View, kind: str, name: str) -> None:
    """Add an object; what is listed stays."""
    body, listed = _found(connection, paths, view)
    entry = _entry(kind, name)
    if entry not in listed:
        connection.apply(_path(paths, body), body | {"data": {**listed, entry: name}})


def drop_from_inventory(connection: Connection, paths: Paths, view: View, kind: str, name: str) -> None:
    """Take an object out; with the last one the list itself goes."""
    body, listed = _found(connection, paths, view)
    if listed.pop(_entry(kind, name), None) is None:
        return
    if listed:
        connection.apply(_path(paths, body), body | {"data": listed})
    else:
        connection.delete(_path(paths, body))


def _entry(kind: str, name: str) -> str:
    return f"{kind}.{name}"


def _path(paths: Paths, body: Json) -> str:
    return paths.of("configmaps", body["metadata"]["name"])


def _found(connection: Connection, paths: Paths, view: View) -> tuple[Object, dict[str, str]]:
    body = inventory(view, paths.namespace)
    try:
        live: Json = connection.get(_path(paths, body))
    except NotFoundError:
        return body, {}
    return body, dict(live.get("data") or {})
