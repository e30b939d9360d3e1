"""What dtnctl asks of a backend: an Observer cannot write; an Engine can. The provider translates, it never decides.

Every method raises UnreachableError when the endpoint does not answer, and EngineError (NotFoundError, ConflictError)
when it answers with a refusal, with the engine's own words in the message and no secret in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dtnctl.errors import EngineError
from dtnctl.model.actions import EngineAction
from dtnctl.model.ledger import Entry
from dtnctl.model.resources import ContainerSeen, ContainerSpec, EndpointSeen, Pairs, Wanted
from dtnctl.model.site import Endpoint
from dtnctl.model.site_settings import Registry
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.shared import Shared
from dtnctl.providers.store import FileEntry as FileEntry
from dtnctl.providers.store import Store as Store
from dtnctl.providers.store import StoreReader
from dtnctl.providers.timeouts import Timeouts

if TYPE_CHECKING:
    from dtn_agent.protocol import Done, Host, Request


class ReadOnlyError(EngineError):
    """A client that may only read was asked to write. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class EndpointAccess:
    """All that a provider is made from. `root` is where relative paths of TLS and password files start; `secrets` looks up the others.

    `repository` is the repository's id, empty for one without; `unlabelled`: whether objects without an id are ours. `reads` is how many
    reads it may have under way. `shared` is the same for all endpoints of a run.
    """

    name: str
    endpoint: Endpoint
    site: str
    registries: Mapping[str, Registry]
    root: Path
    timeouts: Timeouts
    repository: str = ""
    unlabelled: bool = True
    secrets: SecretSource = field(default_factory=SecretSource)
    reads: int = 8
    shared: Shared = field(default_factory=Shared)


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished command: its exit code and what it wrote. `exit_code` is 126 or 127 when it could not be started."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Observer(Protocol):
    """A client that cannot write: plan, drift, status and validate hold nothing else."""

    endpoint: str

    def observe(self, wanted: Wanted) -> EndpointSeen:
        """Everything owned, what others hold, and what `wanted` names. Silence is returned, not raised."""

    @property
    def store(self) -> StoreReader:
        """Where leases, records and markers are, to be read."""

    def inspect(self, container: str) -> ContainerSeen:
        """One container by name or id, owned or not, whatever state it is in."""

    @property
    def repository(self) -> str:
        """The id of the repository that it works for, which all that it makes carries; empty for one without an id."""

    def owns(self, labels: Mapping[str, str], object_name: str) -> bool:
        """Whether the labels say that the object of this name on this endpoint is of our site and of our repository."""

    def engine_id(self) -> str:
        """The engine's own id, the same after its restart; empty if it has none."""

    def read_files(self, container: str, path: str) -> Mapping[str, bytes]:
        """The file at `path`, or all files below the folder, by absolute path in the container. Works on stopped ones."""

    def read_entries(self, container: str, path: str) -> Mapping[str, Entry]:
        """What is at `path` and below it, whatever it is, the folder itself included: links and pipes count as what they are."""

    def file_size(self, container: str, path: str) -> int | None:
        """Bytes of the regular file at `path`; None if there is none. Costs the engine much less than reading it."""

    def logs(self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False) -> Iterator[bytes]:
        """Output of the container as it was written (stdout and stderr together), in chunks; with `follow` until it ends.

        With `timestamps` each line has the time before it at which the engine took it, and a blank.
        """

    def close(self) -> None:
        """Give the connections back."""


class HostObserver(Protocol):
    """A client of an endpoint's agent that cannot change anything. Raises as engines do."""

    def host(self, readings: frozenset[str] = frozenset(), *, inside: bool = False) -> Host:
        """Facts, what is held, abilities and these tuning keys' values; `inside`: of containers' network namespaces, too."""

    def close(self) -> None:
        """Give the connections back."""


class HostAgent(Protocol):
    """A client of an endpoint's agent that has it change its host. Requests are idempotent. Raises as engines do."""

    def perform(self, request: Request) -> Done:
        """Carry out one request of a plan, in which the site has its plain name."""


class Engine(Observer, Protocol):
    """A client that can change its endpoint. Calls are idempotent: what is already so is success."""

    @property
    def store(self) -> Store:
        """Where leases, records and markers are kept."""

    @property
    def agent(self) -> HostAgent | None:
        """Who carries out the host requests of this endpoint; None where it has no agent."""

    def perform(self, action: EngineAction) -> None:
        """Carry out one action of a plan.

        CreateContainer on a name that is taken: success if that container is owned by us, was never started and has the same
        spec label; else ConflictError. Removing or stopping what is not there is success; where the action has an `id`, only
        that very object is touched.
        """

    def create_container(self, name: str, spec: ContainerSpec, labels: Pairs, *, binds: Pairs = ()) -> str:
        """Create without starting; returns the id. `binds` are (host folder, container path), made on the host if missing."""

    def start(self, container: str) -> None:
        """Start it; already running is success. Never call it on a job that already ran: it would run again."""

    def check_health(self, container: str) -> None:
        """Have its health check run if it is due and nothing on the endpoint runs it; `inspect` shows the verdict."""

    def stop(self, container: str, timeout: int) -> None:
        """Stop with the container's stop signal, kill after `timeout` seconds."""

    def remove(self, container: str, *, force: bool = False) -> None:
        """Remove by id or name; not there is success. Named volumes stay."""

    def wait(self, container: str, timeout: float) -> int | None:
        """Exit code once it stopped, or None after `timeout` seconds. One call, no polling."""

    def write_files(self, container: str, entries: tuple[FileEntry, ...]) -> None:
        """Put files in by the archive API, in one call; works on containers that never ran."""

    def run(self, container: str, command: tuple[str, ...], *, user: str = "") -> Ran:
        """Run a command in a running container and wait for its end."""
