"""The normal form of everything that lives on an endpoint, and what was seen there. Frozen values, no I/O.

The planner builds specs in this form from YAML; the provider translates what the engine reports into the same form.
Comparing two specs field by field is therefore the whole of drift detection. Tuples are sorted where order means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from dtnctl.model.check_runs import CheckRun
from dtnctl.model.drivers import DRIVERS, ENGINE_BRIDGE, OTHER_DRIVER, Driver
from dtnctl.model.impact import Progress
from dtnctl.model.leases import LeaseSeen as LeaseSeen
from dtnctl.model.leases import describe_holder as describe_holder
from dtnctl.model.ledger import LedgerSeen
from dtnctl.model.paths import PathProviderSeen
from dtnctl.model.secrets import SecretValue, SecretVariables

if TYPE_CHECKING:
    from dtn_agent.protocol import Host

Pairs = tuple[tuple[str, str], ...]

# --- ownership ----------------------------------------------------------------------------------------------

SHORTEST_VERDICT = 10.0  # seconds: an engine has more to do than a check of every millisecond
HERE, ONE_POD = "this endpoint", "one pod"  # where containers run, and what a service is to its cluster
LABEL_PREFIX = "dtnctl."
LABEL_SITE = "dtnctl.site"
LABEL_KIND = "dtnctl.kind"  # one of Kind, or volume
LABEL_NAME = "dtnctl.name"  # the session's, network's or transfer's name
LABEL_SELF = "dtnctl.self"  # ENDPOINT/OBJECT-NAME: labels that an image of `docker commit` passes on name another object here
LABEL_SPEC = "dtnctl.spec"  # digest of the spec at creation: distinguishes drift from a change in Git, never used to find drift
LABEL_REPOSITORY = "dtnctl.repository"  # the repository's own id: two repositories may give their sites one name
LABEL_IMAGE = "dtnctl.image"  # id of the image that the container was made from: that of an image committed from it is another one
LABEL_GENERATION, LABEL_ATTEMPT = "dtnctl.generation", "dtnctl.attempt"  # of a transfer's container: which attempt it is
LABEL_PORTS = "dtnctl.ports"  # of the container of a transfer's server: the ports that it listens on, with commas between them
LABEL_DEADLINE = "dtnctl.deadline"  # of a transfer's containers: whole seconds that it had left when they were created
# Of a service's containers while it is replaced: kept until its replacement is healthy, and that one; two dots: no other name ends so.
RETIRED_SUFFIX, PREPARED_SUFFIX = "..old", "..new"

Kind = Literal["service", "network", "transfer", "server", "lease", "ledger", "protection"]


def self_reference(endpoint: str, object_name: str) -> str:
    """The value of the self-reference label of an object."""
    return f"{endpoint}/{object_name}"


def is_owned(
    labels: Mapping[str, str], *, site: str, endpoint: str, object_name: str, repository: str = "", unlabelled: bool = True
) -> bool:
    """Whether the labels say that this very object on this very endpoint is ours.

    `unlabelled`: whether an object without a repository's id counts; one with another id than `repository` never does.
    """
    if labels.get(LABEL_SITE) != site or labels.get(LABEL_SELF) != self_reference(endpoint, main_name(object_name)):
        return False
    found = labels.get(LABEL_REPOSITORY, "")
    return found == repository if found else unlabelled


def own_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Those of the labels that are dtnctl's."""
    return {key: value for key, value in labels.items() if key.startswith(LABEL_PREFIX)}


def is_inherited(labels: Mapping[str, str], image_labels: Mapping[str, str]) -> bool:
    """Whether a container has its labels of ours from its image, which somebody committed from a container of ours.

    One that we made names in them the image that it was made from, which no image can say of itself.
    """
    ours = own_labels(labels)
    return bool(ours) and ours == own_labels(image_labels)


def main_name(object_name: str) -> str:
    """The name of the container that a retired or prepared one belongs to; every other name is its own."""
    return object_name.removesuffix(PREPARED_SUFFIX) if object_name.endswith(PREPARED_SUFFIX) else object_name.removesuffix(RETIRED_SUFFIX)


def live_names(container: str) -> tuple[str, str, str]:
    """All names that a service's container may have, the one that counts most first: its own, retired, prepared."""
    return container, container + RETIRED_SUFFIX, container + PREPARED_SUFFIX


def service_name(site: str, session: str) -> str:
    """The engine's name of a session's container. State names have no dots, so the parts never run together."""
    return f"{site}.{session}"


def transfer_name(site: str, transfer: str, generation: int, attempt: int) -> str:
    """The engine's name of one attempt of a transfer; attempts count from 1."""
    return f"{site}.{transfer}.g{generation}a{attempt}"


def lease_name(site: str) -> str:
    return f"{site}.control.lease"


def ledger_name(site: str) -> str:
    return f"{site}.control.ledger"


# --- containers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Mount:
    """`size` is bytes, of a tmpfs; 0 is the engine's default. `propagation` of a bind mount as mount(8) names it; empty: the engine's own.

    It is left out of repr: labels of containers that were made before it was there have the digest of that.
    """

    target: str
    kind: Literal["bind", "volume", "tmpfs"]
    source: str = ""
    read_only: bool = False
    driver: str = ""
    driver_opts: Pairs = ()
    size: int = 0
    propagation: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Device:
    host: str
    container: str
    permissions: str = "rwm"


@dataclass(frozen=True, slots=True, order=True)
class Ulimit:
    name: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True)
class Health:
    """`test` in the engine's form: ("CMD", …) or ("CMD-SHELL", text). Times in seconds; 0 is the engine's default, as for `retries`."""

    test: tuple[str, ...]
    interval: float
    timeout: float
    retries: int
    start_period: float

    @property
    def verdict_seconds(self) -> float:
        """The time within which the engine calls a container healthy or unhealthy.

        Source of the defaults: the engine's reference of HEALTHCHECK; they count where an image names a command alone.
        """
        interval, timeout, retries = self.interval or 30.0, self.timeout or 30.0, self.retries or 3
        return max(self.start_period + (retries + 1) * (interval + timeout), SHORTEST_VERDICT)


NO_HEALTH = Health(("NONE",), 0.0, 0.0, 0, 0.0)  # asked for to switch the image's own check off; a live container then shows none


@dataclass(frozen=True, slots=True, order=True)
class PortBinding:
    host: int
    container: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True, order=True)
class Attachment:
    """A network of a container. An empty address is the engine's own choice. `vf`: PCI address of its virtual function, if it has one."""

    network: str
    ipv4: str = ""
    ipv6: str = ""
    vf: str = ""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """All fields of a container that we set, with the engine's defaults where nothing is said.

    `command` and `entrypoint` None: the image's. `memory` and `shm_size` in bytes, 0 no limit. `cpus` in CPUs, 0 no limit.
    `network` is the network it is created on: a network's name, `bridge`, `host`, `none` or `container:ID`.
    `env` has no variable of `secrets`. `placement` is where a cluster runs it, HERE or in words; `rollout`: ONE_POD at a time, or in words.
    """

    image: str
    hostname: str = ""
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    env: Pairs = ()
    tty: bool = False
    init: bool = False
    privileged: bool = False
    stop_signal: str = ""
    stop_timeout: int = 10
    health: Health | None = None
    restart: str = "no"
    memory: int = 0
    cpus: float = 0.0
    cpu_set: str = ""
    memory_nodes: str = ""
    shm_size: int = 64 * 1024**2
    mounts: tuple[Mount, ...] = ()
    devices: tuple[Device, ...] = ()
    ulimits: tuple[Ulimit, ...] = ()
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    sysctls: Pairs = ()
    dns: tuple[str, ...] = ()
    network: str = ENGINE_BRIDGE
    attachments: tuple[Attachment, ...] = ()
    ports: tuple[PortBinding, ...] = ()
    secrets: SecretVariables = field(default=(), repr=False)
    placement: str = field(default=HERE, repr=False)  # no part of digests
    rollout: str = field(default=ONE_POD, repr=False)  # neither


ContainerState = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """One owned container as the engine reports it. `spec` holds the live values, the image's own included.

    `started_at` is empty if it never ran. `addresses` are the live ones, also where the engine chose them. `checks` are the last runs of
    its health check, the newest last. `anonymous_volumes` are where volumes without a name are mounted: they go with the container.
    `secret_values` are those of `spec.secrets` by variable, to be kept out of output. `disrupted`: its cluster evicted or preempted it.
    `is_of_older_file`: it differs because its endpoint's file said something else when it was applied (node, ports, resources).
    """

    name: str
    id: str
    labels: Mapping[str, str]
    spec: ContainerSpec
    image_id: str
    state: ContainerState
    health: Literal["", "starting", "healthy", "unhealthy"] = ""
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    disrupted: bool = False
    is_of_older_file: bool = False
    started_at: str = ""
    finished_at: str = ""
    restart_count: int = 0
    addresses: tuple[Attachment, ...] = ()
    checks: tuple[CheckRun, ...] = ()
    anonymous_volumes: tuple[str, ...] = ()
    secret_values: Mapping[str, SecretValue] = field(default_factory=dict, compare=False, repr=False)

    @property
    def kind(self) -> str:
        return self.labels.get(LABEL_KIND, "")

    @property
    def owner(self) -> str:
        """Name of the session or transfer that it belongs to."""
        return self.labels.get(LABEL_NAME, "")

    @property
    def networks(self) -> frozenset[str]:
        """Every network that it is attached to."""
        return frozenset(item.network for item in (*self.spec.attachments, *self.addresses))

    @property
    def is_aside(self) -> bool:
        """Whether it stands beside a service's own container while that is replaced."""
        return main_name(self.name) != self.name


@dataclass(frozen=True, slots=True)
class ForeignSeen:
    """A container of somebody else: only what we cannot have because of it.

    `labels`: of dtnctl, if it did not get them from its image: they say where it comes from. `trouble`: why one like ours is not shown.
    """

    name: str
    id: str
    host_ports: tuple[tuple[int, str], ...] = ()
    addresses: tuple[Attachment, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


# --- networks and images ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subnet:
    subnet: str
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """`driver` in the words of state files; one that these do not know has the engine's name.

    Without declared subnets the engine chooses, and `subnets` is empty. `parent` is the interface that carries it, `INTERFACE.ID` where
    that is a VLAN of one: an engine shows no more. `pf`: the interface whose virtual functions containers get instead. `mtu` in bytes,
    0 is not declared. `default_route`: whether the driver sets one; None where `internal` decides.
    `others`: options of a live network in the engine's own words, those that have no field. None are ever asked for.
    """

    driver: str
    internal: bool = False
    ipv6: bool = False
    subnets: tuple[Subnet, ...] = ()
    others: Pairs = ()
    mtu: int = 0
    default_route: bool | None = None
    pf: str = ""
    mode: str = ""
    parent: str = ""

    @property
    def driver_row(self) -> Driver:
        return DRIVERS.get(self.driver, OTHER_DRIVER)


@dataclass(frozen=True, slots=True)
class NetworkSeen:
    name: str
    id: str
    labels: Mapping[str, str]
    spec: NetworkSpec
    is_of_older_file: bool = False  # as a container's


@dataclass(frozen=True, slots=True)
class ImageSeen:
    """An image on an endpoint: what a container inherits from it."""

    id: str
    digests: tuple[str, ...] = ()
    env: Pairs = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    stop_signal: str = ""
    health: Health | None = None
    labels: Pairs = ()


@dataclass(frozen=True, slots=True)
class VolumeSeen:
    """A named volume on an endpoint, whoever made it. `is_ours`: its labels say that dtnctl made it for this site.

    `trouble` is why the engine does not show it; then the rest is unknown.
    """

    name: str
    driver: str = "local"
    options: Pairs = ()
    trouble: str = ""
    is_ours: bool = field(default=False, compare=False)


# --- what was seen ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndpointSeen:
    """One endpoint. `silence` is why it did not answer; then everything else is unknown, not empty.

    `backend` is the name of the row of backends.py that answered; empty: the one of the endpoint's file.
    `containers`, `networks`: all that are owned by us. `foreign`, `foreign_networks`: all others.
    `images` has an entry for each reference that was asked for (None: not there) and for each image id in use;
    `image_troubles` says of a reference why the engine refuses to answer.
    `remote_digests`: what the registry says of references that are pulled always (empty text: it did not say).
    `volumes` has those of the asked names that are there.
    `host` is what the endpoint's agent reports; None without one, or when it did not answer: `agent_silence` is why.
    `engine_id` is the id of the network that the engine itself makes at each start: two endpoints that show the same one are one engine.
    Empty if it shows none. (The ID of /info costs the engine the start of runc and containerd, and cloned hosts share it.)
    `identity` outlives the engine's restarts and is another one where another engine answers; empty if it shows nothing of the kind.
    `cpus` is how many CPUs the engine has, where a service asks for some; 0 is unknown.
    `clock_ahead` is how many seconds the engine's clock is ahead of this machine's; None if it does not say.
    `secrets` are fingerprints by reference, of those that were asked for and that this machine can look up.
    `unseen` is what the login may not look at, with what is unknown because of it.
    `damaged`: a sentence for each object of ours that cannot be read any more; their names are among `foreign`.
    """

    name: str
    silence: str = ""
    backend: str = ""
    engine_version: str = ""
    api_version: str = ""
    containers: tuple[ContainerSeen, ...] = ()
    networks: tuple[NetworkSeen, ...] = ()
    foreign: tuple[ForeignSeen, ...] = ()
    foreign_networks: tuple[NetworkSeen, ...] = ()
    images: Mapping[str, ImageSeen | None] = field(default_factory=dict)
    image_troubles: Mapping[str, str] = field(default_factory=dict)
    remote_digests: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, VolumeSeen] = field(default_factory=dict)
    ledger: LedgerSeen = LedgerSeen()  # noqa: RUF009  # a frozen value
    lease: LeaseSeen | None = None
    host: Host | None = None
    agent_silence: str = ""
    engine_id: str = ""
    identity: str = ""
    cpus: int = 0
    clock_ahead: int | None = field(default=None, compare=False)
    secrets: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def is_silent(self) -> bool:
        return bool(self.silence)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen, by endpoint name, in name order. `progress`: of running transfers by name, as far as it was asked for.

    `paths`: what providers of paths report, by their names. One that was not asked has no entry, and is as unknown as a silent one.
    """

    endpoints: Mapping[str, EndpointSeen]
    progress: Mapping[str, Progress] = field(default_factory=dict)
    paths: Mapping[str, PathProviderSeen] = field(default_factory=dict)

    @property
    def silent(self) -> tuple[str, ...]:
        """The endpoints that did not answer."""
        return tuple(name for name, seen in self.endpoints.items() if seen.is_silent)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What observation must look up beyond the lists: images, those to ask the registry about, the ledger (always looked at for a job).

    `readings` are the settings of the host that the agent is asked for, `inside` asks for what containers see of the network.
    `cpus` asks the engine how many it has; that call costs it the start of runc and containerd.
    `volumes` are names of volumes to look at. `secrets` are references to look up on this machine.
    """

    images: frozenset[str] = frozenset()
    remote_images: frozenset[str] = frozenset()
    ledger: bool = False
    readings: frozenset[str] = frozenset()
    inside: bool = False
    cpus: bool = False
    volumes: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
