"""Live objects as what plans know: containers, what others hold, networks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from dtnctl.model.drivers import ENGINE_BRIDGE
from dtnctl.model.resources import Attachment, ContainerSeen, ContainerSpec, ForeignSeen, NetworkSeen
from dtnctl.providers.docker.view import View
from dtnctl.providers.kubernetes.attachments import STATUS_NOTE, live_addresses
from dtnctl.providers.kubernetes.damaged import Damaged
from dtnctl.providers.kubernetes.held_jobs import job_in
from dtnctl.providers.kubernetes.identity import LABEL_OBJECT, NOTHING, Json, annotations_of, labels_of, name_of, object_name
from dtnctl.providers.kubernetes.inventory import is_inventory
from dtnctl.providers.kubernetes.lists import Lists, is_of
from dtnctl.providers.kubernetes.networks import network_seen
from dtnctl.providers.kubernetes.node_ports import other_services, published_by, service_name
from dtnctl.providers.kubernetes.older_file import is_of_older_file
from dtnctl.providers.kubernetes.place import Place
from dtnctl.providers.kubernetes.states import ENDED, Condition, job_condition, lost_condition, newest, service_condition
from dtnctl.providers.kubernetes.store import MAPS, is_file, stored
from dtnctl.providers.kubernetes.workloads import rollout_of, spec_of


def services_seen(lists: Lists, place: Place, now: datetime, damaged: Damaged) -> Iterator[ContainerSeen]:
    """Services of this endpoint, ours or another site's."""
    ours = (raw for raw in lists.deployments if is_of(raw, place.endpoint))
    yield from damaged.readable("Deployment", ours, lambda raw: service_seen(raw, lists, place, now))


def service_seen(raw: Json, lists: Lists, place: Place, now: datetime) -> ContainerSeen:
    """One Deployment. What it publishes by a Service is what that one really has, while it is meant to run."""
    spec = replace(spec_of(raw, place), rollout=rollout_of(raw))
    if place.node_ports and spec.ports and raw["spec"].get("replicas"):
        held = frozenset(published_by(_service_of(raw, lists)))
        spec = replace(spec, ports=tuple(port for port in spec.ports if port in held))
    pod = newest(lists.pods_of(raw["metadata"]["name"]))
    condition = service_condition(raw, pod, spec.health, lists.events_of(pod), now)
    return replace(_container(raw, raw["metadata"]["uid"], spec, condition, pod, place), is_of_older_file=is_of_older_file(raw, place))


def _service_of(raw: Json, lists: Lists) -> Json:
    name, namespace = service_name(raw["metadata"]["name"]), raw["metadata"]["namespace"]
    found = (item for item in lists.services if (item["metadata"]["name"], item["metadata"]["namespace"]) == (name, namespace))
    return next(found, NOTHING)


def jobs_seen(lists: Lists, place: Place, damaged: Damaged) -> Iterator[ContainerSeen]:
    """Containers of transfers of this endpoint."""
    ours = (secret for secret in lists.held if is_of(secret, place.endpoint))
    yield from damaged.readable("Secret", ours, lambda secret: job_seen(secret, lists, place))


def job_seen(secret: Json, lists: Lists, place: Place) -> ContainerSeen:
    """One Job, by the Secret that holds it: before it starts that is all there is."""
    name = secret["metadata"]["name"]
    live = next((raw for raw in lists.jobs if raw["metadata"]["name"] == name), None)
    pod = newest(lists.pods_of(name))
    condition = job_condition(live, pod, lists.events_of(pod)) if live is not None else lost_condition(secret)
    return _container(secret, secret["metadata"]["uid"], spec_of(job_in(secret), place), condition, pod, place)


def _container(raw: Json, uid: str, spec: ContainerSpec, condition: Condition, pod: Json | None, place: Place) -> ContainerSeen:
    return ContainerSeen(
        name=name_of(raw),
        id=uid,
        labels=labels_of(raw),
        spec=spec,
        image_id=spec.image,  # an image is what it is called: clusters do not show what is in one
        state=condition.state,
        health=condition.health,
        exit_code=condition.exit_code,
        error=condition.error,
        oom_killed=condition.oom_killed,
        disrupted=condition.disrupted,
        started_at=condition.started_at,
        finished_at=condition.finished_at,
        restart_count=condition.restart_count,
        addresses=addresses_of(pod, place),
        checks=condition.checks,
    )


def addresses_of(pod: Json | None, place: Place) -> tuple[Attachment, ...]:
    """The addresses that its pod has."""
    if pod is None or (pod.get("spec") or NOTHING).get("hostNetwork"):
        return ()
    names = {object_name(name, place.endpoint): name for name in place.links}
    found = live_addresses(annotations_of(pod).get(STATUS_NOTE, ""), names, place.namespace)
    ip = (pod.get("status") or NOTHING).get("podIP") or ""
    own = Attachment(ENGINE_BRIDGE, "", ip) if ":" in ip else Attachment(ENGINE_BRIDGE, ip)
    return found if not ip or any(item.network == ENGINE_BRIDGE for item in found) else tuple(sorted((*found, own)))


def markers_seen(lists: Lists, place: Place) -> Iterator[ContainerSeen]:
    """What the store holds under a name, as plans know it: a container that never starts."""
    for raw in lists.maps:
        if is_of(raw, place.endpoint) and not is_file(raw) and not is_inventory(raw):
            held = stored(MAPS, raw)
            yield ContainerSeen(held.name, held.id, held.labels, ContainerSpec(image=""), image_id="", state="created")


# --- others -------------------------------------------------------------------------------------------------


def foreign_of(containers: Iterable[ContainerSeen]) -> Iterator[ForeignSeen]:
    """Containers of another site, or of another repository, by what is in our way."""
    for item in containers:
        ports = tuple((port.host, port.protocol) for port in item.spec.ports)
        yield ForeignSeen(item.name, item.id, ports, item.addresses or item.spec.attachments, item.labels)


def strangers(lists: Lists, place: Place) -> Iterator[ForeignSeen]:
    """Pods on the node, and Services of the cluster, that are not this endpoint's, with the ports and addresses that they hold.

    So are pods that outlived what they were made of (`kubectl delete --cascade=orphan`). One that ends is waited for by what needs it gone.
    """
    shown = {(place.namespace, service_name(raw["metadata"]["name"])) for raw in lists.deployments if is_of(raw, place.endpoint)}
    yield from other_services(item for item in lists.services if (item["metadata"]["namespace"], item["metadata"]["name"]) not in shown)
    objects = {raw["metadata"]["name"] for raw in (*lists.deployments, *lists.held) if is_of(raw, place.endpoint)}
    for pod in lists.node_pods:
        is_over = (pod.get("status") or NOTHING).get("phase") in ENDED
        if is_over or (_is_ours(pod, place) and (_is_going(pod) or pod["metadata"]["labels"][LABEL_OBJECT] in objects)):
            continue
        ports = tuple(sorted(set(_ports(pod))))
        addresses = tuple(item for item in addresses_of(pod, place) if item.network != ENGINE_BRIDGE)
        if ports or addresses:
            yield ForeignSeen(f"{pod['metadata']['namespace']}/{pod['metadata']['name']}", pod["metadata"]["uid"], ports, addresses)


def _is_ours(pod: Json, place: Place) -> bool:
    """Whether it was made for this endpoint; those of dtnctl in another namespace, or of another endpoint, were not."""
    is_made_by_dtnctl = LABEL_OBJECT in (pod["metadata"].get("labels") or NOTHING)
    return is_made_by_dtnctl and pod["metadata"]["namespace"] == place.namespace and is_of(pod, place.endpoint)


def _is_going(pod: Json) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _ports(pod: Json) -> Iterator[tuple[int, str]]:
    for container in (pod.get("spec") or NOTHING).get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield int(port["hostPort"]), str(port.get("protocol") or "TCP").lower()


def networks_seen(lists: Lists, place: Place, view: View) -> tuple[tuple[NetworkSeen, ...], tuple[NetworkSeen, ...]]:
    """Ours and others'. A definition of somebody else takes no interface, so none is shown of it; its subnet may be ours by mistake."""
    found = [network_seen(raw, place) for raw in lists.networks or () if is_of(raw, place.endpoint)]
    seen = sorted(found, key=lambda item: (item.name, item.id))
    ours, others = view.divided(seen)
    return ours, tuple(replace(item, spec=replace(item.spec, parent="")) for item in others)
