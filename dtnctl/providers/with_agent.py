"""An endpoint with an agent, of whatever backend: one answer of both, and each action to the one that can carry it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from pydantic import BaseModel

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.actions import EngineAction
from dtnctl.model.ledger import Entry
from dtnctl.model.origin import claimed_by
from dtnctl.model.resources import ContainerSeen, ContainerSpec, EndpointSeen, Pairs, Wanted
from dtnctl.providers.base import EndpointAccess, Engine, FileEntry, HostAgent, HostObserver, Observer, Ran
from dtnctl.providers.store import Store, StoreReader

if TYPE_CHECKING:
    from dtn_agent.protocol import Done, Host, Request

M = TypeVar("M", bound=BaseModel)


class ObserverWithAgent:
    """An Observer of any backend, and the agent of the same endpoint: both are asked at the same time.

    An agent that does not answer leaves the backend's answer as it is, with the reason.
    """

    def __init__(self, observer: Observer, agent: HostObserver, access: EndpointAccess) -> None:
        self.endpoint = observer.endpoint
        self._observer = observer
        self._host = agent
        self._access = access
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"agent {access.name}")

    def observe(self, wanted: Wanted) -> EndpointSeen:
        asked = self._pool.submit(self._host.host, wanted.readings, inside=wanted.inside)
        return _joined(self._observer.observe(wanted), asked, self._access)

    @property
    def store(self) -> StoreReader:
        return self._observer.store

    def inspect(self, container: str) -> ContainerSeen:
        return self._observer.inspect(container)

    @property
    def repository(self) -> str:
        return self._observer.repository

    def owns(self, labels: Mapping[str, str], object_name: str) -> bool:
        return self._observer.owns(labels, object_name)

    def engine_id(self) -> str:
        return self._observer.engine_id()

    def read_files(self, container: str, path: str) -> Mapping[str, bytes]:
        return self._observer.read_files(container, path)

    def read_entries(self, container: str, path: str) -> Mapping[str, Entry]:
        return self._observer.read_entries(container, path)

    def file_size(self, container: str, path: str) -> int | None:
        return self._observer.file_size(container, path)

    def logs(self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False) -> Iterator[bytes]:
        return self._observer.logs(container, follow=follow, tail=tail, timestamps=timestamps)

    def close(self) -> None:
        self._observer.close()
        self._host.close()
        self._pool.shutdown(wait=False, cancel_futures=True)


class AgentClient(HostObserver, HostAgent, Protocol):
    """A client that is both."""


class EngineWithAgent(ObserverWithAgent):
    """The same of an Engine and an agent that may change its host: an Engine whose host requests the agent carries out."""

    def __init__(self, engine: Engine, agent: AgentClient, access: EndpointAccess) -> None:
        super().__init__(engine, agent, access)
        self._engine = engine
        self.agent: HostAgent | None = AgentOfSite(agent, access)

    @property
    def store(self) -> Store:
        return self._engine.store

    def perform(self, action: EngineAction) -> None:
        self._engine.perform(action)

    def create_container(self, name: str, spec: ContainerSpec, labels: Pairs, *, binds: Pairs = ()) -> str:
        return self._engine.create_container(name, spec, labels, binds=binds)

    def start(self, container: str) -> None:
        self._engine.start(container)

    def check_health(self, container: str) -> None:
        self._engine.check_health(container)

    def stop(self, container: str, timeout: int) -> None:
        self._engine.stop(container, timeout)

    def remove(self, container: str, *, force: bool = False) -> None:
        self._engine.remove(container, force=force)

    def wait(self, container: str, timeout: float) -> int | None:
        return self._engine.wait(container, timeout)

    def write_files(self, container: str, entries: tuple[FileEntry, ...]) -> None:
        self._engine.write_files(container, entries)

    def run(self, container: str, command: tuple[str, ...], *, user: str = "") -> Ran:
        return self._engine.run(container, command, user=user)


@dataclass(frozen=True, slots=True)
class AgentOfSite:
    """An agent that is asked in the name by which it knows our site."""

    client: HostAgent
    access: EndpointAccess

    def perform(self, request: Request) -> Done:
        return self.client.perform(request.model_copy(update={"site": agent_site(self.access)}))


def agent_site(access: EndpointAccess) -> str:
    """What the agent knows us by: the site's name, and the repository's id where only objects with it are ours."""
    return access.site if access.unlabelled else f"{access.site}-{access.repository}"


def _with_our_name(host: Host, access: EndpointAccess, *, is_claimed: bool) -> Host:
    """The agent's answer with the plain name of our site where something is ours, and another one where it is not."""
    ours = "" if is_claimed and access.unlabelled else agent_site(access)

    def named(site: str) -> str:
        if site == ours:
            return access.site
        return f"{site} of another repository" if site == access.site else site

    held = {kind: tuple(_renamed(entry, named) for entry in entries) for kind, entries in host.held}
    return host.model_copy(update={"held": host.held.model_copy(update=held)})


def _renamed(entry: M, named: Callable[[str], str]) -> M:
    """An entry of the ledger with another name of the site that has it, if it says which one does, itself or in its owner."""
    if isinstance(owner := getattr(entry, "owner", None), BaseModel):
        return entry.model_copy(update={"owner": _renamed(owner, named)})
    site = getattr(entry, "site", None)
    return entry if site is None else entry.model_copy(update={"site": named(site)})


def _joined(seen: EndpointSeen, asked: Future[Host], access: EndpointAccess) -> EndpointSeen:
    if seen.is_silent:
        asked.cancel()
        return seen
    try:
        is_claimed = bool(claimed_by(seen, access.site, access.repository))
        return replace(seen, host=_with_our_name(asked.result(), access, is_claimed=is_claimed))
    except (EngineError, UnreachableError) as error:
        return replace(seen, agent_silence=str(error))
