"""Carries out one action of a plan in a cluster. Doing it twice is the same as doing it once.

All that is written is applied whole, as one field manager and without force: a field that another manager owns is a ConflictError with
its name. An action with an id touches that very object.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, assert_never

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.actions import (
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    DiscardContainer,
    DisconnectNetwork,
    EngineAction,
    PromoteContainer,
    PullImage,
    RemoveContainer,
    RemoveNetwork,
    ReplaceContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    StopContainer,
    UpdateContainer,
)
from dtnctl.model.resources import LABEL_SPEC, ContainerSpec, Pairs
from dtnctl.providers.kubernetes.claiming import keep_claims, remove_claims
from dtnctl.providers.kubernetes.cluster import Cluster, found, owns
from dtnctl.providers.kubernetes.identity import STARTED_NOTE, Json, labels_of, name_of, object_name
from dtnctl.providers.kubernetes.inventory import drop_from_inventory, list_in_inventory
from dtnctl.providers.kubernetes.jobs import remove_job
from dtnctl.providers.kubernetes.networks import network_object
from dtnctl.providers.kubernetes.owned_fields import applied_by_us
from dtnctl.providers.kubernetes.publishing import has_node_ports, publish, unpublish
from dtnctl.providers.kubernetes.secret_values import keep_values, remove_values
from dtnctl.providers.kubernetes.store import ClusterStore
from dtnctl.providers.kubernetes.waiting import wait_until_gone, wait_until_started
from dtnctl.providers.kubernetes.workloads import deployment, spec_of

if TYPE_CHECKING:
    pass

NO_MULTUS = "the cluster has no NetworkAttachmentDefinition (Multus is not installed); docs/kubernetes.md says what to ask its admin for"


def perform(cluster: Cluster, action: EngineAction) -> None:
    match action:
        case CreateNetwork():
            _create_network(cluster, action)
        case RemoveNetwork():
            _remove_network(cluster, action)
        case CreateContainer():
            _create_service(cluster, action)
        case StartContainer():
            start_service(cluster, _ours(cluster, action.container))
        case StopContainer():
            _stop(cluster, action)
        case ReplaceContainer():
            _replace(cluster, action)
        case RemoveContainer():
            _remove(cluster, action)
        case PullImage() | ConnectNetwork() | DisconnectNetwork() | UpdateContainer():
            _never(action)
        case RetireContainer() | PromoteContainer() | DiscardContainer() | RestoreContainer():
            _never(action)
        case _:
            assert_never(action)


def _never(action: EngineAction) -> NoReturn:
    raise EngineError(f"a cluster has no {type(action).__name__}: a changed container is a new pod of the same object")


# --- networks -----------------------------------------------------------------------------------------------


def _create_network(cluster: Cluster, action: CreateNetwork) -> None:
    made = network_object(action.network, action.spec, cluster.view.signed(action.labels), cluster.place)
    path = cluster.paths.of("network-attachment-definitions", made["metadata"]["name"])
    _refuse_unserved(cluster)
    live = found(cluster, path)
    if live is not None and not (owns(cluster, live) and _same_spec(live, action.labels)):
        raise ConflictError(f"the network {action.network} is there already, and is not this one", 409)
    cluster.connection.apply(path, made)
    list_in_inventory(cluster, "NetworkAttachmentDefinition", made["metadata"]["name"])


def _refuse_unserved(cluster: Cluster) -> None:
    try:
        cluster.connection.get(cluster.paths.networks, limit=1)
    except NotFoundError:
        raise EngineError(NO_MULTUS) from None


def _remove_network(cluster: Cluster, action: RemoveNetwork) -> None:
    name = object_name(action.network, cluster.place.endpoint)
    cluster.connection.remove(cluster.paths.of("network-attachment-definitions", name), action.id)
    drop_from_inventory(cluster, "NetworkAttachmentDefinition", name)


def _same_spec(live: Json, labels: Pairs) -> bool:
    digest = dict(labels).get(LABEL_SPEC)
    return digest is not None and labels_of(live).get(LABEL_SPEC) == digest


# --- services -----------------------------------------------------------------------------------------------


def _create_service(cluster: Cluster, action: CreateContainer) -> None:
    live = found(cluster, deployment_path(cluster, action.container))
    if live is not None:
        if not owns(cluster, live) or not _same_spec(live, action.labels) or STARTED_NOTE in live["metadata"]["annotations"]:
            raise ConflictError(f"the name {action.container} is taken by a Deployment", 409)
        return
    apply_service(cluster, action.container, action.spec, action.labels, replicas=0)


def apply_service(cluster: Cluster, name: str, spec: ContainerSpec, labels: Pairs, *, replicas: int, live: Json | None = None) -> None:
    """Its Deployment as it should be; with `live` only that very object is changed."""
    labels = cluster.view.signed(labels)
    if spec.secrets:
        keep_values(cluster, name, spec, labels)
    keep_claims(cluster, name, spec, labels)
    made = deployment(name, spec, labels, cluster.place, replicas)
    if live is not None:
        made["metadata"]["uid"] = live["metadata"]["uid"]
    if replicas or (live is not None and STARTED_NOTE in live["metadata"]["annotations"]):
        made["metadata"]["annotations"][STARTED_NOTE] = _started(live)
    if replicas:  # first: a port that is refused must not cost the pod that runs
        publish(cluster, made)
    cluster.connection.apply(deployment_path(cluster, name), made)
    if live is not None and not (replicas and has_node_ports(made)):
        unpublish(cluster, live)
    before = [spec_of(live, cluster.place)] if live is not None else []
    if spec.secrets or any(item.secrets for item in before):
        remove_values(cluster, name, but=(spec, *before))
    remove_claims(cluster, name, but=(spec, *before))
    list_in_inventory(cluster, "Deployment", made["metadata"]["name"])


def replace_service(cluster: Cluster, live: Json, spec: ContainerSpec, labels: Pairs, *, start: bool) -> None:
    """Another spec for the same object: the old pod ends before the new one starts. Returns when that has started, or none is left."""
    apply_service(cluster, name_of(live), spec, labels, replicas=int(start), live=live)
    applied = cluster.connection.get(cluster.paths.of("deployments", live["metadata"]["name"]))
    if start:
        wait_until_started(cluster.connection, cluster.paths, applied)
    else:
        wait_until_gone(cluster.connection, cluster.paths, live["metadata"]["name"], spec.stop_timeout)


def _replace(cluster: Cluster, action: ReplaceContainer) -> None:
    live = _ours(cluster, action.container)
    if live["metadata"]["uid"] != action.id:
        raise ConflictError(f"the Deployment for {action.container} is another one than the plan was made for; plan again", 409)
    replace_service(cluster, live, action.spec, action.labels, start=action.start)


def _started(live: Json | None) -> str:
    """When it was started first."""
    known = live["metadata"]["annotations"].get(STARTED_NOTE) if live is not None else None
    return known or datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def start_service(cluster: Cluster, live: Json) -> None:
    """One replica, and the wait for its pod. What runs already is left alone."""
    publish(cluster, live)
    if (live["spec"].get("replicas") or 0) == 0:
        _scale(cluster, live, 1)
    wait_until_started(cluster.connection, cluster.paths, live)


def stop_service(cluster: Cluster, live: Json, timeout: float) -> None:
    """No replica, and the wait until its pod is gone. The grace period is that of the pod."""
    if (live["spec"].get("replicas") or 0) != 0:
        _scale(cluster, live, 0)
    unpublish(cluster, live)
    wait_until_gone(cluster.connection, cluster.paths, live["metadata"]["name"], timeout)


def _scale(cluster: Cluster, live: Json, replicas: int) -> None:
    """What was applied, with another number: a number that another manager set is a conflict with its name."""
    made = applied_by_us(live)
    made["metadata"]["uid"] = live["metadata"]["uid"]
    made.setdefault("spec", {})["replicas"] = replicas
    made["metadata"].setdefault("annotations", {})[STARTED_NOTE] = _started(live)
    cluster.connection.apply(cluster.paths.of("deployments", live["metadata"]["name"]), made)


def _stop(cluster: Cluster, action: StopContainer) -> None:
    live = found(cluster, deployment_path(cluster, action.container))
    if live is not None and live["metadata"]["uid"] == action.id:
        stop_service(cluster, live, action.timeout)


def _remove(cluster: Cluster, action: RemoveContainer) -> None:
    """A service, or a container of a transfer, or what the store has under this name."""
    if "/" in action.id:
        ClusterStore(cluster.connection, cluster.paths, cluster.place.endpoint).remove(action.id)
        return
    live = found(cluster, deployment_path(cluster, action.container))
    if live is not None and live["metadata"]["uid"] == action.id:
        remove_service(cluster, live)
        return
    remove_job(cluster, action.container, action.id)  # before any wait: the pod of a Job that ended stays as long as the Job
    if live is None:  # an earlier removal may have been cut off before its pod was gone
        wait_until_gone(cluster.connection, cluster.paths, object_name(action.container, cluster.place.endpoint), 0.0)


def remove_service(cluster: Cluster, live: Json) -> None:
    """Remove it, and return when its pod is gone."""
    cluster.connection.remove(cluster.paths.of("deployments", live["metadata"]["name"]), live["metadata"]["uid"])
    unpublish(cluster, live)
    remove_values(cluster, name_of(live))
    remove_claims(cluster, name_of(live))
    drop_from_inventory(cluster, "Deployment", live["metadata"]["name"])
    grace = live["spec"]["template"]["spec"].get("terminationGracePeriodSeconds") or 0
    wait_until_gone(cluster.connection, cluster.paths, live["metadata"]["name"], grace)


# --- objects ------------------------------------------------------------------------------------------------


def deployment_path(cluster: Cluster, name: str) -> str:
    return cluster.paths.of("deployments", object_name(name, cluster.place.endpoint))


def _ours(cluster: Cluster, name: str) -> Json:
    live = found(cluster, deployment_path(cluster, name))
    if live is None:
        raise NotFoundError(f"there is no Deployment for {name} in the namespace {cluster.place.namespace}", 404)
    if not owns(cluster, live):
        raise ConflictError(f"the Deployment for {name} is not ours; it is left alone", 409)
    return live
