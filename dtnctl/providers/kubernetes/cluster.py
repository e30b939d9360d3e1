"""Where calls are made and for whom, and the few things that all that change objects do alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from dtnctl.errors import NotFoundError
from dtnctl.providers.docker.view import View
from dtnctl.providers.kubernetes.identity import Json, labels_of, name_of
from dtnctl.providers.kubernetes.paths import Paths
from dtnctl.providers.kubernetes.place import Place

if TYPE_CHECKING:
    from dtnctl.providers.kubernetes.connection import Connection


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where actions are carried out, and for whom."""

    connection: Connection
    paths: Paths
    place: Place
    view: View
    inventory_lock: Lock = field(default_factory=Lock)  # steps side by side change one list: one after the other, none is refused


def found(cluster: Cluster, path: str) -> Json | None:
    """The live object; None if there is none."""
    try:
        live: Json = cluster.connection.get(path)
    except NotFoundError:
        return None
    return live


def owns(cluster: Cluster, raw: Json, of: str = "") -> bool:
    """Whether it is ours; `of` is the container that it belongs to, whose labels it has."""
    return cluster.view.owns(labels_of(raw), of or name_of(raw))
