"""A node of a cluster as an endpoint: the Observer and the Engine of providers/base.py. No client is made before the first call."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from dtnctl.errors import ConflictError, EngineError, NotFoundError, UnreachableError
from dtnctl.model.actions import CreateContainer, EngineAction, ReplaceContainer
from dtnctl.model.kubernetes_addresses import KubernetesAddress
from dtnctl.model.ledger import Entry
from dtnctl.model.permission import DEVICE_FILES
from dtnctl.model.resources import ContainerSeen, ContainerSpec, EndpointSeen, Pairs, Wanted
from dtnctl.providers.base import EndpointAccess, FileEntry, HostAgent, Ran
from dtnctl.providers.docker.view import View
from dtnctl.providers.kubernetes import files, jobs
from dtnctl.providers.kubernetes.api_server import ApiServer
from dtnctl.providers.kubernetes.cluster import Cluster, found
from dtnctl.providers.kubernetes.connection import Connection
from dtnctl.providers.kubernetes.lists import links_of
from dtnctl.providers.kubernetes.login import Login, login_of
from dtnctl.providers.kubernetes.lookup import Looked, Lookup, inspected, networks, with_joined
from dtnctl.providers.kubernetes.observation import node_id, observe
from dtnctl.providers.kubernetes.paths import Paths, node_path
from dtnctl.providers.kubernetes.performing import perform, remove_service, start_service, stop_service
from dtnctl.providers.kubernetes.place import DeviceClass, Place
from dtnctl.providers.kubernetes.pod_template import CONTAINER, JOINED
from dtnctl.providers.kubernetes.states import newest
from dtnctl.providers.kubernetes.store import ClusterStore, ClusterStoreReader
from dtnctl.providers.kubernetes.waiting import pods_of
from dtnctl.providers.store import Store, StoreReader

MOST_READS, FEWEST_READS = 4, 2  # of one endpoint at once: each connection has a handshake, which costs both sides as much as a read


@dataclass(frozen=True, slots=True)
class _Opened:
    cluster: Cluster
    lookup: Lookup
    pool: ThreadPoolExecutor


class KubernetesObserver:
    """An Observer over a client that sends nothing but GET. May be used from several threads."""

    reads_only = True

    def __init__(self, access: EndpointAccess) -> None:
        self.endpoint = access.name
        self._access = access
        self._view = View(access.name, access.site, access.registries, access.root, access.repository, access.unlabelled, access.secrets)
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._cluster_key, self._namespace_key = _keys(access)
        self._is_member = False
        self._join()

    @property
    def _cluster(self) -> Cluster:
        return self._open().cluster

    def _open(self) -> _Opened:
        with self._lock:
            if self._opened is None:
                self._join()
                self._opened = self._connected()
            return self._opened

    def _join(self) -> None:
        if not self._is_member:
            for key in (self._cluster_key, self._namespace_key):
                self._access.shared.join(key)
            self._is_member = True

    def _connected(self) -> _Opened:
        address, access = self._access.endpoint.kubernetes, self._access
        assert address is not None  # what decides that this class is used
        shared = access.shared
        server = shared.get(self._cluster_key, lambda: ApiServer(access.timeouts))
        login = server.facts.get("login", lambda: _login(access, address))
        neighbours = shared.members(self._namespace_key)
        connection = Connection(server, login, address.text, neighbours=neighbours, reads_only=self.reads_only)
        cluster = Cluster(connection, Paths(address.namespace), _place(access.name, address), self._view)
        reads = max(FEWEST_READS, MOST_READS // shared.members(self._cluster_key))
        return _Opened(cluster, Lookup(cluster), ThreadPoolExecutor(min(access.reads, reads), thread_name_prefix=f"read {access.name}"))

    def _find(self, container: str) -> Looked:
        return self._open().lookup.find(container)

    def observe(self, wanted: Wanted) -> EndpointSeen:
        try:
            return observe(self._cluster, self._open().pool, wanted)
        except UnreachableError as error:
            return EndpointSeen(self.endpoint, silence=str(error))
        except EngineError as error:
            # Half an answer is no answer: what is not known here could be ours.
            return EndpointSeen(self.endpoint, silence=f"{self._access.endpoint.address}: the cluster refuses to show it: {error}")

    @property
    def store(self) -> StoreReader:
        return ClusterStoreReader(self._cluster.connection, self._cluster.paths, self.endpoint)

    def inspect(self, container: str) -> ContainerSeen:
        return inspected(self._cluster, self._find(container))

    @property
    def repository(self) -> str:
        return self._access.repository

    def owns(self, labels: Mapping[str, str], object_name: str) -> bool:
        return self._view.owns(labels, object_name)

    def engine_id(self) -> str:
        try:
            node = found(self._cluster, node_path(self._cluster.place.node))
        except EngineError:
            node = None
        return node_id(self._cluster, node)

    def read_files(self, container: str, path: str) -> Mapping[str, bytes]:
        return files.read_files(self._cluster, self._find(container), path)

    def read_entries(self, container: str, path: str) -> Mapping[str, Entry]:
        return files.read_entries(self._cluster, self._find(container), path)

    def file_size(self, container: str, path: str) -> int | None:
        return files.file_size(self._cluster, self._find(container), path)

    def logs(self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False) -> Iterator[bytes]:
        cluster, looked = self._cluster, self._find(container)
        pod = newest(pods_of(cluster.connection, cluster.paths, looked.object_name))
        if pod is None:
            return
        path = cluster.paths.of("pods", pod["metadata"]["name"], "log")
        asked = {"container": CONTAINER, "follow": follow or None, "tailLines": tail, "timestamps": timestamps or None}
        with cluster.connection.stream(path, None if follow else 0.0, **asked) as chunks:
            yield from chunks

    def close(self) -> None:
        with self._lock:
            opened, self._opened = self._opened, None
            is_member, self._is_member = self._is_member, False
        if opened is not None:
            opened.pool.shutdown(wait=False, cancel_futures=True)
        for key in (self._cluster_key, self._namespace_key) if is_member else ():
            self._access.shared.leave(key)


def _keys(access: EndpointAccess) -> tuple[Hashable, Hashable]:
    """The same for endpoints that are reached by one login to one API server, and for those of them that are in one namespace."""
    address = access.endpoint.kubernetes
    assert address is not None  # what decides that this module is used
    cluster = (address.context, address.kubeconfig, address.portainer, access.endpoint.portainer, access.root, access.timeouts)
    return cluster, (cluster, address.namespace)


def _place(endpoint: str, address: KubernetesAddress) -> Place:
    """Devices by the file that a container's spec names them by."""
    named = {name: DEVICE_FILES.get(name, name).partition(":")[0] for name in (*address.resources, *address.claims)}
    return Place(
        endpoint,
        address.node,
        address.namespace,
        {named[name]: resource for name, resource in address.resources.items()},
        {named[name]: DeviceClass(claim.device_class, claim.selectors) for name, claim in address.claims.items()},
        node_ports=address.publish == "node-port",
    )


def _login(access: EndpointAccess, address: KubernetesAddress) -> Login:
    if address.portainer is None:
        return login_of(address, access.root, access.secrets, access.timeouts.login)
    from dtnctl.providers.kubernetes.behind_portainer import login_behind_portainer

    return login_behind_portainer(access)


class KubernetesEngine(KubernetesObserver):
    """An Engine: the same over a client that may write."""

    reads_only = False
    agent: HostAgent | None = None

    @property
    def store(self) -> Store:
        return _SigningStore(self._cluster, self._view)

    def perform(self, action: EngineAction) -> None:
        cluster = self._cluster
        if isinstance(action, (CreateContainer, ReplaceContainer)):
            cluster = self._with_networks(action.spec)
        perform(cluster, action)

    def _with_networks(self, spec: ContainerSpec) -> Cluster:
        """The cluster with what pods need to know of the networks that they are attached to."""
        cluster = self._cluster
        place = cluster.place
        if spec.attachments:
            place = replace(place, links=links_of(place, networks(cluster)))
        if spec.network.startswith(JOINED):
            place = with_joined(cluster, spec.network, place)
        return replace(cluster, place=place)

    def create_container(self, name: str, spec: ContainerSpec, labels: Pairs, *, binds: Pairs = ()) -> str:
        if binds:
            raise EngineError("a cluster makes no folders of a host for a container")
        return jobs.hold_job(self._with_networks(spec), name, spec, labels)

    def start(self, container: str) -> None:
        looked = self._find(container)
        if looked.kind == "deployments":
            start_service(self._cluster, looked.raw)
        else:
            jobs.start_job(self._cluster, looked.raw)

    def check_health(self, container: str) -> None:
        """Nothing: the kubelet probes."""

    def stop(self, container: str, timeout: int) -> None:
        looked = self._find(container)
        if looked.kind == "deployments":
            stop_service(self._cluster, looked.raw, timeout)
        else:
            jobs.stop_job(self._cluster, looked.object_name, timeout)

    def remove(self, container: str, *, force: bool = False) -> None:
        try:
            looked = self._find(container)
        except NotFoundError:
            return
        if looked.kind == "deployments":
            remove_service(self._cluster, looked.raw)
            return
        if not force and self.inspect(container).state == "running":
            raise ConflictError(f"the container {container} runs; stop it first", 409)
        jobs.remove_job(self._cluster, looked.raw["metadata"]["annotations"]["dtnctl/name"], looked.raw["metadata"]["uid"])

    def wait(self, container: str, timeout: float) -> int | None:
        looked = self._find(container)
        if self.inspect(container).state == "created":
            raise ConflictError(f"the container {container} was never started; there is no exit to wait for", 409)
        return jobs.wait_for_end(self._cluster, looked.object_name, timeout)

    def write_files(self, container: str, entries: tuple[FileEntry, ...]) -> None:
        looked = self._find(container)
        if looked.kind == "secrets":
            jobs.write_into(self._cluster, looked.raw, entries)
        else:
            files.write_into_pod(self._cluster, looked, entries)

    def run(self, container: str, command: tuple[str, ...], *, user: str = "") -> Ran:
        return files.run(self._cluster, self._find(container), command, user)


class _SigningStore(ClusterStore):
    """A store whose claims carry the repository's id."""

    def __init__(self, cluster: Cluster, view: View) -> None:
        super().__init__(cluster.connection, cluster.paths, view.endpoint)
        self._view = view

    def claim(self, name: str, labels: Pairs, *, folder: str = "") -> str:
        return super().claim(name, self._view.signed(labels), folder=folder)
