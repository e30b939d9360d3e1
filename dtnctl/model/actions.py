"""Actions: what a step of a plan does, as four unions. Each is carried out by one kind of object. Values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dtnctl.model.path_actions import PathAction
from dtnctl.model.protection import RecordProtection
from dtnctl.model.resources import Attachment, ContainerSpec, NetworkSpec, Pairs
from dtnctl.model.secrets import SecretVariables
from dtnctl.model.transfer_options import TransferOptions

if TYPE_CHECKING:
    from dtn_agent.protocol import Request

# --- one call of an engine ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PullImage:
    """Make `image` be there, from its registry; checked by digest where the reference has one."""

    image: str


@dataclass(frozen=True, slots=True)
class CreateNetwork:
    network: str
    spec: NetworkSpec
    labels: Pairs


@dataclass(frozen=True, slots=True)
class RemoveNetwork:
    network: str
    id: str


@dataclass(frozen=True, slots=True)
class CreateContainer:
    """Create without starting, on `spec.network`; the other attachments are ConnectNetwork steps where the backend connects.

    A replacement is created as `…..new` while the old container runs: the engine takes names at creation, ports and addresses at the start.
    """

    container: str
    spec: ContainerSpec
    labels: Pairs


@dataclass(frozen=True, slots=True)
class ConnectNetwork:
    container: str
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class DisconnectNetwork:
    container: str
    network: str


@dataclass(frozen=True, slots=True)
class StartContainer:
    container: str


@dataclass(frozen=True, slots=True)
class StopContainer:
    """`timeout` in seconds until it is killed. `id` guards against stopping a namesake."""

    container: str
    id: str
    timeout: int


@dataclass(frozen=True, slots=True)
class RetireContainer:
    """Rename to `…..old`: kept until its replacement is healthy."""

    container: str
    id: str


@dataclass(frozen=True, slots=True)
class PromoteContainer:
    """Rename `…..new` to `container`: the replacement takes the name that the retired one had."""

    container: str


@dataclass(frozen=True, slots=True)
class DiscardContainer:
    """Undo the creation of a replacement that was never started, by its name `…..new`. What runs is not touched."""

    container: str


@dataclass(frozen=True, slots=True)
class RestoreContainer:
    """Undo a replacement: remove the new container, give the old one its name back and start it if it ran.

    What is started must run for `settle` seconds, as for WaitHealthy.
    """

    container: str
    id: str
    start: bool
    settle: float = 1.0


@dataclass(frozen=True, slots=True)
class ReplaceContainer:
    """Write another spec to the container of this name: what runs stops before the new one starts. Of backends that rename nothing.

    Refused, it leaves what is there as it is. `start`: whether it runs afterwards. As an undo it writes the spec that was there before,
    and what it starts must run for `settle` seconds.
    """

    container: str
    id: str
    spec: ContainerSpec
    labels: Pairs
    start: bool
    settle: float = 1.0


@dataclass(frozen=True, slots=True)
class RemoveContainer:
    container: str
    id: str


@dataclass(frozen=True, slots=True)
class UpdateContainer:
    """What the engine changes in a live container. A None is left alone."""

    container: str
    memory: int | None = None
    cpus: float | None = None
    cpu_set: str | None = None
    memory_nodes: str | None = None
    restart: str | None = None


EngineAction = (
    PullImage
    | CreateNetwork
    | RemoveNetwork
    | CreateContainer
    | ConnectNetwork
    | DisconnectNetwork
    | StartContainer
    | StopContainer
    | RetireContainer
    | PromoteContainer
    | DiscardContainer
    | RestoreContainer
    | ReplaceContainer
    | RemoveContainer
    | UpdateContainer
)

# --- what the endpoint's agent does -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HostRequest:
    """A request in the agent's own protocol, for this site by its plain name. `verb` and `subject` are for the reader alone.

    `secrets` are fields of the request that are looked up when it is sent, and are empty in it until then.
    """

    request: Request
    verb: str
    subject: str
    secrets: SecretVariables = ()


# --- what takes several calls of an engine ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WaitHealthy:
    """Wait until the container's health check passes, the image's own too, or without one until it ran for `settle` seconds.

    `timeout` in seconds; None: as long as its check takes at most, which is not known before its image is pulled.
    """

    container: str
    timeout: float | None
    settle: float


@dataclass(frozen=True, slots=True)
class EnsureLedger:
    """Make the placeholder container that reads and writes the record of one-shot jobs on this endpoint."""

    folder: str


@dataclass(frozen=True, slots=True)
class JobEnd:
    """One end of a transfer. `path` is the very file or folder that is read or written.

    `host` and `port` are where its sshd is reached from the job.

    `data_host` is the address or name at which the other end reaches its data ports; empty: the address at which sshd is reached.
    `data_ports` are the lowest and the highest of them; None: the image's own choice. `listens` are those of the attempt's own server.
    `path` is empty for tools that measure from memory to memory.
    `path_name` is the path between sites that joins both ends, and `path_address` the service's own address on it; empty: none does.
    """

    endpoint: str
    container: str
    path: str
    host: str
    port: int
    user: str
    data_host: str = ""
    data_ports: tuple[int, int] | None = None
    listens: tuple[int, ...] = ()
    path_name: str = ""
    path_address: str = ""


@dataclass(frozen=True, slots=True)
class StartTransfer:
    """Claim, then start once. If the ledger turns out to hold a record of this attempt, nothing is started."""

    transfer: str
    generation: int
    attempt: int
    tool: str
    source: JobEnd
    destination: JobEnd
    image: str
    options: TransferOptions


@dataclass(frozen=True, slots=True)
class FinishTransfer:
    """Wait for the end, judge by evidence, write the receipt, remove the keys."""

    transfer: str
    generation: int
    attempt: int
    tool: str
    source: JobEnd
    destination: JobEnd
    options: TransferOptions
    wait: bool


@dataclass(frozen=True, slots=True)
class RecordCancel:
    """Write into the claim of a running job that it is going to be stopped, and why: whoever finds it stopped then knows who did that."""

    transfer: str
    generation: int
    attempt: int
    container: str
    id: str
    cause: str


@dataclass(frozen=True, slots=True)
class RecordEnd:
    """Write the receipt of a job that is removed without one; nothing is compared. `is_stopped`: a step of this plan ended it."""

    transfer: str
    generation: int
    attempt: int
    container: str
    id: str
    cause: str
    is_stopped: bool


JobAction = WaitHealthy | EnsureLedger | StartTransfer | FinishTransfer | RecordCancel | RecordEnd | RecordProtection
Action = EngineAction | HostRequest | JobAction | PathAction
Undo = RestoreContainer | DiscardContainer | ReplaceContainer
