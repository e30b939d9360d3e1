"""Finds one container by its name in plans or by its id, whatever it is. An id is an object's uid, which no path leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, assert_never

from dtnctl.errors import NotFoundError
from dtnctl.model.resources import LABEL_SITE, ContainerSeen
from dtnctl.providers.kubernetes.cluster import Cluster, found
from dtnctl.providers.kubernetes.held_jobs import HELD_TYPE, LABEL_HELD, job_in
from dtnctl.providers.kubernetes.identity import LABEL_OBJECT, Json, annotations_of, object_name
from dtnctl.providers.kubernetes.lists import Lists, is_host_networked, is_ready, links_of
from dtnctl.providers.kubernetes.node_ports import service_name
from dtnctl.providers.kubernetes.place import Place
from dtnctl.providers.kubernetes.pod_template import JOINED
from dtnctl.providers.kubernetes.seen import job_seen, service_seen
from dtnctl.providers.kubernetes.waiting import events_of
from dtnctl.providers.kubernetes.workloads import spec_of

Kind = Literal["deployments", "secrets"]
KINDS: Mapping[Kind, str] = {"deployments": LABEL_SITE, "secrets": f"{LABEL_SITE},{LABEL_HELD}"}  # and which of them are meant


@dataclass(frozen=True, slots=True)
class Looked:
    """A service's Deployment, or the Secret that holds a Job."""

    kind: Kind
    raw: Json

    @property
    def object_name(self) -> str:
        return str(self.raw["metadata"]["name"])


class Lookup:
    """Remembers under which name an id was found: it is never another one's."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, tuple[Kind, str]] = {}

    def find(self, container: str) -> Looked:
        """NotFoundError if there is none."""
        if container in self._known:
            kind, name = self._known[container]
            looked = self._named(kind, name)
            if looked is not None and looked.raw["metadata"]["uid"] == container:
                return looked
        plain = object_name(container, self._cluster.place.endpoint)
        for kind in KINDS:
            looked = self._named(kind, plain)
            if looked is not None:
                return looked
        return self._listed(container)

    def _named(self, kind: Kind, name: str) -> Looked | None:
        raw = found(self._cluster, self._cluster.paths.of(kind, name))
        return self._noted(Looked(kind, raw)) if raw is not None and _is_meant(kind, raw) else None

    def _listed(self, uid: str) -> Looked:
        for kind, selector in KINDS.items():
            for raw in self._cluster.connection.items(self._cluster.paths.of(kind), labelSelector=selector):
                self._noted(Looked(kind, raw))
                if raw["metadata"]["uid"] == uid:
                    return Looked(kind, raw)
        raise NotFoundError(f"there is no container {uid} in the namespace {self._cluster.place.namespace}", 404)

    def _noted(self, looked: Looked) -> Looked:
        self._known[looked.raw["metadata"]["uid"]] = (looked.kind, looked.object_name)
        return looked


def _is_meant(kind: Kind, raw: Json) -> bool:
    return kind == "deployments" or raw.get("type") == HELD_TYPE


def inspected(cluster: Cluster, looked: Looked) -> ContainerSeen:
    """The container as it is now."""
    paths, name = cluster.paths, looked.object_name
    pods = cluster.connection.items(paths.of("pods"), labelSelector=f"{LABEL_OBJECT}={name}")
    networks = attached_networks(cluster, looked)
    place = replace(cluster.place, links=links_of(cluster.place, networks))
    lists = Lists((), (), (), tuple(pods), (), None, (), None)
    match looked.kind:
        case "deployments":
            lists = replace(lists, deployments=(looked.raw,), events=_events(cluster, pods), services=_services(cluster, name))
            return service_seen(looked.raw, lists, place, datetime.now(UTC))
        case "secrets":
            job = found(cluster, paths.of("jobs", name))
            lists = replace(lists, jobs=(job,) if job is not None else (), held=(looked.raw,))
            return job_seen(looked.raw, lists, place_of_job(cluster, job_in(looked.raw), place))
        case _:
            assert_never(looked.kind)


def _services(cluster: Cluster, object_name: str) -> tuple[Json, ...]:
    """The Service that publishes its ports, if there is to be one."""
    live = found(cluster, cluster.paths.of("services", service_name(object_name))) if cluster.place.node_ports else None
    return () if live is None else (live,)


def _events(cluster: Cluster, pods: list[Json]) -> tuple[Json, ...]:
    """What is said of pods that are not ready."""
    waiting = (pod for pod in pods if not is_ready(pod))
    return tuple(event for pod in waiting for event in events_of(cluster.connection, cluster.paths, pod))


def attached_networks(cluster: Cluster, looked: Looked) -> list[Json]:
    """The definitions of the endpoint, if the pod's template names any."""
    template = looked.raw["spec"]["template"] if looked.kind == "deployments" else job_in(looked.raw)["spec"]["template"]
    if not annotations_of(template).get("k8s.v1.cni.cncf.io/networks"):
        return []
    return networks(cluster)


def networks(cluster: Cluster) -> list[Json]:
    """All definitions of the namespace; none where the cluster has no such kind."""
    try:
        return cluster.connection.items(cluster.paths.networks)
    except NotFoundError:
        return []


def place_of_job(cluster: Cluster, job: Json, place: Place) -> Place:
    """The place with what the job joins: whether that service is on the host's network."""
    joined = spec_of(job, place).network
    if not joined.startswith(JOINED):
        return place
    return with_joined(cluster, joined, place)


def with_joined(cluster: Cluster, network: str, place: Place) -> Place:
    """The place that knows whether the service whose network is joined is on the host's."""
    uid = network.removeprefix(JOINED)
    try:
        service = Lookup(cluster).find(uid)
    except NotFoundError:
        return place
    hosted = service.kind == "deployments" and is_host_networked(service.raw)
    return replace(place, host_networked=frozenset({uid}) if hosted else frozenset())
