"""The Docker backend: an observer that cannot write and an engine that can, for one endpoint each.

It translates and calls; what should be done is decided in planning. Nothing is connected, read or imported before the first
question is asked, so a provider for a silent endpoint can be built like any other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.actions import EngineAction
from dtnctl.model.ledger import Entry
from dtnctl.model.resources import ContainerSeen, ContainerSpec, EndpointSeen, Pairs, Wanted
from dtnctl.providers.base import EndpointAccess, FileEntry, HostAgent, Ran
from dtnctl.providers.docker import calls
from dtnctl.providers.docker.host import host_info
from dtnctl.providers.docker.logs import log_chunks, stamped_messages
from dtnctl.providers.docker.observation import file_size, observe, read_entries, read_files
from dtnctl.providers.docker.performing import perform
from dtnctl.providers.docker.polled_logs import follow_by_polling
from dtnctl.providers.docker.store import PlaceholderReader, PlaceholderStore
from dtnctl.providers.docker.streams import frames
from dtnctl.providers.docker.translate import container_seen
from dtnctl.providers.docker.view import View
from dtnctl.providers.store import Store, StoreReader

if TYPE_CHECKING:
    from dtnctl.providers.docker.connection import Connection


class DockerObserver:
    """An Observer over a client that refuses to send anything but reads. May be used from several threads."""

    reads_only = True

    def __init__(self, access: EndpointAccess) -> None:
        self.endpoint = access.name
        self._access = access
        portainer = access.endpoint.portainer
        self._view = View(
            access.name,
            access.site,
            access.registries,
            access.root,
            access.repository,
            access.unlabelled,
            access.secrets,
            () if portainer is None else portainer.labels,
        )
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._engine_id = ""
        self._asking_id = threading.Lock()
        self._terminals: dict[str, bool] = {}
        """By a container's id, which is never another one's: whether it has one, which decides how its output is written."""
        self._pool = ThreadPoolExecutor(access.reads, thread_name_prefix=f"read {access.name}")

    def _connected(self) -> Connection:
        """The open connection; a new one at first, and when the ssh client below the old one has ended."""
        with self._lock:
            if self._connection is None or not self._connection.is_alive:
                from dtnctl.providers.docker.connection import open_connection

                self._disconnect()
                self._connection = open_connection(self._access, read_only=self.reads_only)
            return self._connection

    def observe(self, wanted: Wanted) -> EndpointSeen:
        try:
            return observe(self._connected(), self._pool, self._view, wanted)
        except UnreachableError as error:
            return EndpointSeen(self.endpoint, silence=str(error))
        except EngineError as error:
            # Half an answer is no answer: what is not known here could be ours.
            return EndpointSeen(self.endpoint, silence=f"{self._access.endpoint.address}: the engine refuses to show it: {error}")

    @property
    def store(self) -> StoreReader:
        return PlaceholderReader(self)

    def inspect(self, container: str) -> ContainerSeen:
        return container_seen(self._connected().get("/containers/{}/json", container))

    @property
    def repository(self) -> str:
        return self._access.repository

    def owns(self, labels: Mapping[str, str], object_name: str) -> bool:
        return self._view.owns(labels, object_name)

    def engine_id(self) -> str:
        with self._asking_id:  # asked once, by one thread: for the rest of that answer the engine starts other programs
            if not self._engine_id:
                self._engine_id = str(host_info(self._connected()).get("ID") or "")
            return self._engine_id

    def read_files(self, container: str, path: str) -> Mapping[str, bytes]:
        return read_files(self._connected(), container, path)

    def read_entries(self, container: str, path: str) -> Mapping[str, Entry]:
        return read_entries(self._connected(), container, path)

    def file_size(self, container: str, path: str) -> int | None:
        return file_size(self._connected(), container, path)

    def logs(self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False) -> Iterator[bytes]:
        connection = self._connected()
        is_tty = self._has_terminal(connection, container)
        if follow and not connection.transport.streams:
            return follow_by_polling(
                lambda query: stamped_messages(connection, container, query, is_tty=is_tty),
                lambda: bool(connection.get("/containers/{}/json", container)["State"]["Running"]),
                tail,
                timestamps=timestamps,
            )
        params = {"follow": int(follow), "tail": "all" if tail is None else tail, "timestamps": int(timestamps)}
        chunks = log_chunks(connection, container, params, None if follow else self._access.timeouts.read)
        return chunks if is_tty else (body for _, body in frames(chunks))

    def _has_terminal(self, connection: Connection, container: str) -> bool:
        if container not in self._terminals:
            found = connection.get("/containers/{}/json", container)
            if found["Id"] != container:
                return bool(found["Config"]["Tty"])  # asked for by name, which another one may have tomorrow
            self._terminals[container] = bool(found["Config"]["Tty"])
        return self._terminals[container]

    def close(self) -> None:
        with self._lock:
            self._disconnect()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class DockerEngine(DockerObserver):
    """An Engine: the same over a client that may write."""

    reads_only = False
    agent: HostAgent | None = None

    @property
    def store(self) -> Store:
        return PlaceholderStore(self)

    def perform(self, action: EngineAction) -> None:
        perform(self._connected(), self._view, action)

    def create_container(self, name: str, spec: ContainerSpec, labels: Pairs, *, binds: Pairs = ()) -> str:
        made = calls.create(self._connected(), name, spec, self._view.signed(labels), binds)
        self._terminals[made] = spec.tty
        return made

    def create_placeholder(self, name: str, labels: Pairs, *, binds: Pairs = ()) -> str:
        return calls.create_placeholder(self._connected(), name, self._view.signed(labels), binds)

    def start(self, container: str) -> None:
        calls.start(self._connected(), container)

    def check_health(self, container: str) -> None:
        calls.check_health(self._connected(), container)

    def stop(self, container: str, timeout: int) -> None:
        calls.stop(self._connected(), container, timeout)

    def remove(self, container: str, *, force: bool = False) -> None:
        calls.remove(self._connected(), container, force=force)

    def wait(self, container: str, timeout: float) -> int | None:
        return calls.wait(self._connected(), container, timeout)

    def write_files(self, container: str, entries: tuple[FileEntry, ...]) -> None:
        calls.write_files(self._connected(), container, entries)

    def run(self, container: str, command: tuple[str, ...], *, user: str = "") -> Ran:
        return calls.run(self._connected(), container, command, user)
