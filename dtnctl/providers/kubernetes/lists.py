"""What is in the namespace and on the node, asked all at once. What this login may not see is said, not guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from dtnctl.errors import EngineError, NotFoundError, UnreachableError
from dtnctl.model.resources import LABEL_SITE
from dtnctl.providers.kubernetes.held_jobs import LABEL_HELD
from dtnctl.providers.kubernetes.identity import LABEL_ENDPOINT, LABEL_OBJECT, NOTHING, Json, label_value, name_of
from dtnctl.providers.kubernetes.networks import link_of
from dtnctl.providers.kubernetes.paths import ALL_PODS, ALL_SERVICES, Paths, namespace_path, node_path
from dtnctl.providers.kubernetes.place import Link, Place

if TYPE_CHECKING:
    from dtnctl.providers.kubernetes.connection import Connection

T = TypeVar("T")
FORBIDDEN = 403
FROM_MEMORY = "0"  # the server's, by its index of nodes: else it reads and decodes all pods of the cluster for each node


@dataclass(frozen=True, slots=True)
class Lists:
    """Objects of an endpoint as they were listed, and those that say nothing of an endpoint.

    `held`: Secrets of Jobs. `pods`: of the namespace; `node_pods`: all of the node, where they may be seen.

    `services` are asked for where ports are published by them: of the whole cluster, or of the namespace where this login sees no more.
    `networks` is None where the cluster has no such kind. `unseen`: what this login may not look at, a sentence each.
    """

    deployments: tuple[Json, ...]
    jobs: tuple[Json, ...]
    held: tuple[Json, ...]
    pods: tuple[Json, ...]
    node_pods: tuple[Json, ...]
    networks: tuple[Json, ...] | None
    maps: tuple[Json, ...]
    node: Json | None
    events: tuple[Json, ...] = ()
    unseen: tuple[str, ...] = ()
    services: tuple[Json, ...] = ()

    def pods_of(self, object_name: str) -> list[Json]:
        return [pod for pod in self.pods if (pod["metadata"].get("labels") or NOTHING).get(LABEL_OBJECT) == object_name]

    def events_of(self, pod: Json | None) -> list[Json]:
        uid = pod["metadata"]["uid"] if pod is not None else None
        return [event for event in self.events if (event.get("involvedObject") or NOTHING).get("uid") == uid]


def ask(connection: Connection, paths: Paths, place: Place, pool: Executor) -> Lists:
    """All lists. EngineError if one of the namespace's own is refused: half an answer is no answer."""
    gathered, ours, node = connection.gathered, {"labelSelector": LABEL_SITE}, place.node
    asked: Mapping[str, Future[list[Json]]] = {
        "deployments": pool.submit(gathered, paths.deployments, **ours),
        "pods": pool.submit(gathered, paths.of("pods")),
        "held": pool.submit(gathered, paths.of("secrets"), labelSelector=f"{LABEL_SITE},{LABEL_HELD}"),
        "maps": pool.submit(gathered, paths.of("configmaps"), **ours),
    }
    networks = pool.submit(_unless, NotFoundError, gathered, paths.networks)
    in_others = f"spec.nodeName={node},metadata.namespace!={paths.namespace}"  # those of this one are listed already
    on_node = pool.submit(_unless_forbidden, connection, ALL_PODS, in_others)
    itself = pool.submit(_node, connection, node)
    services = pool.submit(_services, connection, paths) if place.node_ports else None
    found = _in_namespace(connection, paths, asked)
    other_pods, seen_node, their_networks = on_node.result(), itself.result(), networks.result()
    all_services, unseen_services = services.result() if services is not None else ((), ())
    unseen = (
        *unseen_services,
        *([f"pods of other namespaces on {node}: their host ports are unknown"] if other_pods is None else []),
        *([f"the node {node}: its CPUs and resources are unknown"] if seen_node is None else []),
    )
    own = {name: tuple(item for item in items if is_of(item, place.endpoint)) for name, items in found.items()}
    lists = Lists(
        **own,
        jobs=tuple(_jobs(connection, paths, own["held"], pool)),
        node_pods=(*(item for item in found["pods"] if _is_on(item, node)), *(other_pods or ())),
        networks=None if their_networks is None else tuple(their_networks),
        node=seen_node,
        unseen=unseen,
        services=all_services,
    )
    return replace(lists, events=_events(connection, paths, lists))


def _jobs(connection: Connection, paths: Paths, held: Iterable[Json], pool: Executor) -> Iterator[Json]:
    """Those that the Secrets hold, if they were started: few, and as a rule none."""
    asked = [pool.submit(_unless, NotFoundError, connection.get, paths.of("jobs", item["metadata"]["name"])) for item in held]
    yield from (job for future in asked if (job := future.result()) is not None)


def _in_namespace(connection: Connection, paths: Paths, asked: Mapping[str, Future[list[Json]]]) -> Mapping[str, tuple[Json, ...]]:
    """What was listed, unless it is that of a namespace that is not there or goes: asked only where no object shows that it stands."""
    try:
        found = {name: tuple(future.result()) for name, future in asked.items()}
    except EngineError:
        _refuse_missing(connection, paths.namespace)
        raise
    if not any(_stands(item) for items in found.values() for item in items):
        _refuse_missing(connection, paths.namespace)
    return found


def _stands(item: Json) -> bool:
    """Whether it is there and does not go."""
    return "deletionTimestamp" not in item["metadata"]


def _is_on(pod: Json, node: str) -> bool:
    return bool((pod.get("spec") or NOTHING).get("nodeName") == node)


def _unless(kind: type[EngineError], call: Callable[[str], T], path: str) -> T | None:
    try:
        return call(path)
    except kind:
        return None


def _unless_forbidden(connection: Connection, path: str, selector: str) -> list[Json] | None:
    try:
        return connection.items(path, fieldSelector=selector, resourceVersion=FROM_MEMORY)
    except EngineError as error:
        if error.status != FORBIDDEN:
            raise
        return None


def _node(connection: Connection, node: str) -> Json | None:
    """The node; None where it may not be looked at. NotFoundError if there is none of this name, UnreachableError if it is silent."""
    try:
        found: Json = connection.get(node_path(node))
    except EngineError as error:
        if error.status != FORBIDDEN:
            raise
        return None
    conditions: Iterable[Json] = (found.get("status") or NOTHING).get("conditions") or ()
    for ready in conditions:
        if ready["type"] == "Ready" and ready["status"] == "Unknown":  # the cluster's word for a kubelet that it has not heard of
            raise UnreachableError(f"{connection.address}: the node {node} does not report to its cluster: {ready.get('message', '')}")
    return found


def _services(connection: Connection, paths: Paths) -> tuple[tuple[Json, ...], tuple[str, ...]]:
    """Those of the cluster, and what could not be seen of them."""
    try:
        return tuple(connection.items(ALL_SERVICES)), ()
    except EngineError as error:
        if error.status != FORBIDDEN:
            raise
    unseen = ("Services of other namespaces: which ports of nodes they hold is unknown",)
    return tuple(connection.items(paths.of("services"))), unseen


def _refuse_missing(connection: Connection, namespace: str) -> None:
    """UnreachableError if there is no such namespace, or it goes: whoever may see all of the cluster would see an empty one."""
    try:
        found: Json = connection.get(namespace_path(namespace))
    except NotFoundError:
        missing = (
            f"{connection.address}: the cluster has no namespace {namespace}: its admin has to create it, and to give the rights in it"
        )
        raise UnreachableError(f"{missing} that docs/kubernetes.md lists") from None
    except EngineError as error:
        if error.status != FORBIDDEN:
            raise
        return
    if (found.get("metadata") or NOTHING).get("deletionTimestamp"):
        raise UnreachableError(f"{connection.address}: the namespace {namespace} is being deleted: nothing can be made there")


def _events(connection: Connection, paths: Paths, lists: Lists) -> tuple[Json, ...]:
    """Asked for only where a pod of ours is not ready; without the right to them, conditions must do."""
    if all(is_ready(pod) for pod in lists.pods if LABEL_OBJECT in (pod["metadata"].get("labels") or NOTHING)):
        return ()
    try:
        return tuple(connection.items(paths.of("events"), fieldSelector="involvedObject.kind=Pod"))
    except EngineError:
        return ()


def is_ready(pod: Json) -> bool:
    """Whether nothing keeps it from working: it is ready, or it is over."""
    status: Json = pod.get("status") or NOTHING
    ready: Iterable[Json] = (item for item in status.get("conditions") or () if item["type"] == "Ready" and item["status"] == "True")
    return status.get("phase") in ("Succeeded", "Failed") or any(True for _ in ready)


def place_with(place: Place, lists: Lists) -> Place:
    """The place with the networks that are there, and the services that use the host's network."""
    place = replace(place, links=links_of(place, lists.networks or ()))
    return replace(place, host_networked=frozenset(raw["metadata"]["uid"] for raw in lists.deployments if is_host_networked(raw)))


def is_host_networked(deployment: Json) -> bool:
    """Whether a service's pods are on the node's own network."""
    return bool(deployment["spec"]["template"]["spec"].get("hostNetwork"))


def links_of(place: Place, networks: Iterable[Json]) -> dict[str, Link]:
    """By the names of plans; those of other endpoints take nothing here."""
    return {name_of(raw): link_of(raw) for raw in networks if is_of(raw, place.endpoint)}


def is_of(raw: Json, endpoint: str) -> bool:
    """Whether an object is this endpoint's, or says nothing of an endpoint."""
    return bool((raw["metadata"].get("labels") or NOTHING).get(LABEL_ENDPOINT, label_value(endpoint)) == label_value(endpoint))
