"""What people write: one strict pydantic model per folder of `state/`. No I/O, no defaults that depend on an endpoint.

Field descriptions are the reference that users read (docs/state-reference.md and the editor's help are made from them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from dtnctl.model.address_fields import IPv4, IPv6, Subnet, Subnet4, Subnet6
from dtnctl.model.agent_addresses import AgentAddress
from dtnctl.model.backends import Backend, row_of
from dtnctl.model.drivers import BUILT_IN, DRIVERS, Driver, DriverName, ModeName, modes_text
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.model.engine_fields import (
    HostPath,
    ImageName,
    LoginName,
)
from dtnctl.model.fields import (
    AddressPool,
    Distinct,
    InterfaceName,
    Moment,
    Name,
    PortRange,
    ReservedCpus,
)
from dtnctl.model.freeze import Freeze
from dtnctl.model.hosts import Host
from dtnctl.model.kubernetes_addresses import KUBERNETES, KubernetesAddress
from dtnctl.model.labels import Labels
from dtnctl.model.ledger import Attempt
from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.path_files import NetworkPath
from dtnctl.model.portainer_fields import Portainer, portainer_fault
from dtnctl.model.profile import Profile, ProfileFields
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.tool_files import ToolFile
from dtnctl.model.transfer import Transfer
from dtnctl.model.transfer_order import EndpointLimits
from dtnctl.model.tuning import Tuning
from dtnctl.model.written import Written

T = TypeVar("T")
Words = Annotated[tuple[str, ...], Field(strict=False)]


# --- state/endpoints/ ---------------------------------------------------------------------------------------


class Tls(Written):
    ca: str = Field(
        description="CA certificate (PEM) that signed the engine's certificate; relative to the repository's root, or absolute."
    )
    cert: str = Field(description="Our client certificate (PEM).")
    key: str = Field(description="Our client key (PEM).")


class AgentTls(Written):
    """How the agent is known, and what it knows us by. Paths are relative to the repository's root, or absolute."""

    ca: str = Field(description="CA certificate (PEM) that signed the agent's certificate.")
    cert: str | None = Field(None, description="Our client certificate (PEM). Missing: we show the token.")
    key: str | None = Field(None, description="Our client key (PEM).")

    @model_validator(mode="after")
    def _pair_is_whole(self) -> AgentTls:
        if (self.cert is None) != (self.key is None):
            raise ValueError("write both of cert and key, or neither")
        return self


class Allow(Written):
    """The host owner's guard rails, checked before anything is called. A missing key allows what is said there."""

    images: Words | None = Field(
        None,
        description="Image name patterns. Missing: any image. A pattern is read as an image's name: without a host it is Docker Hub's; `*` "
        "alone is any image.",
    )
    mounts: Annotated[tuple[HostPath, ...], Field(strict=False)] = Field(
        (), description="Host folders that may be bind-mounted, with all below them. Missing: none."
    )
    volumes: Words = Field(
        (),
        description="What volumes may be beside the engine's own disk and tmpfs: `nvme` (those of state/volumes), `nfs`, `cifs`, names of "
        "volume drivers (`*`: any). Missing: none of these.",
    )
    exports: Annotated[tuple[HostPath, ...], Field(strict=False)] = Field(
        (),
        description="Block devices and files that may be exported over NVMe-oF, as volumes name them (patterns; `*` stands for no `/`; a "
        "folder allows all below it). Missing: none.",
    )
    foreign_volumes: Words = Field(
        (),
        description="Volumes that may be mounted although they are there already and not made by dtnctl (patterns): another application's "
        "data. Missing: none.",
    )
    devices: Words = Field(
        (),
        description="Devices that may be given, as profiles name them (patterns; `*` stands for no `/`, and alone for any device). "
        "Missing: none.",
    )
    capabilities: Words = Field((), description="Capabilities that may be added (patterns). Missing: none.")
    privileged: bool = Field(False, description="Whether privileged containers may run: they are root on the host.")
    limits: Words | None = Field(
        None,
        description="Resource limits that may be set. Missing: any that concerns the container alone, which `rtprio` and `nice` do not.",
    )
    networks: Words | None = Field(
        None,
        description="Networks that may be attached (patterns), `bridge` included; `host` only by its own name. Missing: any, `host` only "
        "if `ports` is missing, too.",
    )
    subnets: Annotated[tuple[Subnet, ...], Field(strict=False)] | None = Field(
        None,
        description="Subnets that bridge networks may have, or parts of them: the host routes them into the bridge. Missing: private ones.",
    )
    ports: Annotated[tuple[PortRange, ...], Field(strict=False)] | None = Field(
        None, description="Ranges of host ports that may be used. Missing: any port above 1023."
    )


class Endpoint(Written):
    """A host with a container engine, or a node of a cluster."""

    docker: EngineAddress | None = Field(
        None,
        description="The engine: `unix:///run/docker.sock`, `tcp://host:2376` with `tls:`, `ssh://user@host[:port]`, or "
        "`portainer+https://host:9443/environment` with `portainer:`.",
    )
    kubernetes: KubernetesAddress | None = Field(None, description="In place of `docker:`, a node of a Kubernetes cluster.")
    tls: Tls | None = Field(None, description="Mutual TLS for `tcp://`.")
    portainer: Portainer | None = Field(None, description="The key and more for `portainer+https://`.")
    host: Host | None = Field(
        None,
        description="DNS name or IP address, nothing else, where the other endpoints reach control ports (ctrl_host). "
        "Missing: taken from `docker:`.",
    )
    agent: AgentAddress | None = Field(
        None,
        description="The endpoint's agent, if there is one: `https://host:5050`; `ssh` (or `ssh:/PATH` of its socket), through the login "
        "of `docker: ssh://…`; `unix:///run/dtnctl/agent.sock` beside `docker: unix://…`.",
    )
    agent_tls: AgentTls | None = Field(None, description="Certificates for the agent. Missing: those of `tls:`.")
    agent_token: Secret | None = Field(None, description="The agent's bearer token.")
    agent_token_file: str | None = Field(None, description="File that holds the agent's bearer token (first line).")
    agent_token_env: str | None = Field(None, description="Environment variable that holds the agent's bearer token.")
    interfaces: dict[str, InterfaceName] = Field(
        default_factory=dict, description="Which network interface carries which network here: `star222: ens1f0`."
    )
    vfs: dict[InterfaceName, Annotated[int, Field(ge=1, le=256)]] = Field(
        default_factory=dict,
        description="How many SR-IOV virtual functions an interface should have: `ens1f0: 8`. Missing: those that it has.",
    )
    reserved_cpus: ReservedCpus | None = Field(
        None, description="CPUs that are never given to services: `0-1`, or `irq` for those that serve the data interfaces' interrupts."
    )
    tuning: Tuning = Field(default_factory=Tuning, description="Settings of the host that dtnctl owns; needs the agent.")
    limits: EndpointLimits = Field(default_factory=EndpointLimits, description="How much transfers may use at the same time.")
    allow: Allow = Field(default_factory=Allow, description="The host owner's guard rails.")
    labels: Labels = Field(default_factory=dict, description="Free pairs that `--label` selects by: `{region: eu}`.")
    protect: bool = Field(False, description="No service here may be removed, stopped or replaced: `protect` of each of them.")
    suspend: bool = Field(False, description="Nothing is changed here while it is set; what runs goes on.")
    freeze: Freeze = Field((), description="Windows in which nothing is changed here; transfers start all the same.")

    @model_validator(mode="after")
    def _transport_is_whole(self) -> Endpoint:
        if (self.docker is None) == (self.kubernetes is None):
            raise ValueError("write one of docker and kubernetes: where the endpoint's containers run")
        if self.address.scheme == "tcp" and self.tls is None:
            raise ValueError("tcp:// needs `tls:` (ca, cert, key); an engine without it gives root to everyone who reaches the port")
        if self.tls is not None and self.address.scheme != "tcp":
            raise ValueError("`tls:` belongs to tcp:// only")
        in_portainer = self.kubernetes.portainer if self.kubernetes is not None else None
        if fault := portainer_fault(in_portainer or self.address, self.portainer, of_cluster=in_portainer is not None):
            raise ValueError(fault)
        if self.host is None and (self.address.scheme in ("unix", KUBERNETES) or self.portainer is not None):
            raise ValueError(f"`host:` is needed: {self.address.scheme}:// does not show where control ports are reached")
        if self.agent is None and self.tuning != Tuning():
            raise ValueError("`tuning:` needs `agent:`; only an agent can set what belongs to the host")
        return self

    @property
    def resources(self) -> frozenset[str]:
        """The devices and interfaces that resources or device classes of a cluster stand for; none of an engine."""
        return frozenset(self.kubernetes.resources.keys() | self.kubernetes.claims.keys()) if self.kubernetes is not None else frozenset()

    def backend(self, seen: str = "") -> Backend:
        """What it can do: by the name of the backend that answered there, else as the key of its address decides."""
        return row_of(seen or ("Docker" if self.kubernetes is None else "Kubernetes"))

    @property
    def address(self) -> EngineAddress:
        """Where it is, of whatever kind: its scheme says which; `text` is for people."""
        if self.docker is not None:
            return self.docker
        return EngineAddress(self.kubernetes.text if self.kubernetes is not None else "", KUBERNETES)

    @property
    def address_field(self) -> str:
        """The field that says so."""
        return "docker" if self.kubernetes is None else "kubernetes"

    @model_validator(mode="after")
    def _agent_is_whole(self) -> Endpoint:
        tokens = [name for name in ("agent_token", "agent_token_file", "agent_token_env") if getattr(self, name) is not None]
        if self.agent is None:
            if self.agent_tls is not None or tokens:
                raise ValueError("`agent_tls:` and `agent_token_…:` belong to `agent:`, which is missing")
            return self
        if self.agent.scheme != "https":
            return self._agent_on_a_socket(self.agent, has_secrets=self.agent_tls is not None or bool(tokens))
        if len(tokens) > 1:
            raise ValueError("write one of agent_token, agent_token_file and agent_token_env")
        if not tokens and self.tls is None and (self.agent_tls is None or self.agent_tls.cert is None):
            raise ValueError("the agent answers only callers that it knows; write `agent_tls:` (ca, cert, key) or a token")
        return self

    def _agent_on_a_socket(self, agent: AgentAddress, *, has_secrets: bool) -> Endpoint:
        """Whoever may open the socket may ask, and it is on the engine's host."""
        if has_secrets:
            raise ValueError(f"`agent_tls:` and `agent_token_…:` belong to an agent on https://; `agent: {agent}` needs neither")
        if agent.scheme != self.address.scheme:
            engine = "docker" if self.kubernetes is None else "the endpoint"
            where = "through the login of `docker: ssh://…`" if agent.scheme == "ssh" else "on this machine, as `docker: unix://…` is"
            raise ValueError(
                f"`agent: {agent}` is reached {where}, and {engine} is {self.address.scheme}://; write the agent's https:// address"
            )
        return self

    @model_validator(mode="after")
    def _agent_makes_functions(self) -> Endpoint:
        if self.vfs and self.agent is None:
            raise ValueError("virtual functions are made by the endpoint's agent: `vfs` needs `agent`")
        return self


# --- state/networks/ ----------------------------------------------------------------------------------------


FUNCTION_FIELDS = ("vlan_priority", "trust", "spoofchk", "min_rate", "max_rate", "mac")


class Network(Written):
    """One layer-2 network; the same name on two endpoints is one L2 and one address pool."""

    driver: DriverName = Field(description="How containers are attached. `host`, `bridge` and `none` exist without a file.")
    mode: ModeName | None = Field(None, description=f"{modes_text()}.")
    vlan: int | None = Field(
        None, ge=1, le=4094, description="VLAN id: the parent becomes `INTERFACE.ID`. host-device: the VLAN is the service's alone."
    )
    mtu: int | None = Field(None, ge=576, le=65535, description="Bytes; 9000 on data networks as a rule.")
    path: Name | None = Field(None, description="The path between sites that it goes over: its VLAN and its MTU are the path's.")
    vlan_priority: int | None = Field(None, ge=0, le=7, description="sriov: priority (802.1p) of the tag that the interface card adds.")
    trust: bool | None = Field(None, description="sriov: whether the service may change its MAC. Missing: as the host has it.")
    spoofchk: bool | None = Field(
        None, description="sriov: whether packets with a foreign source MAC are dropped. Missing: as the host has it."
    )
    min_rate: int | None = Field(None, ge=0, description="sriov: guaranteed rate of each virtual function, in Mb/s.")
    max_rate: int | None = Field(None, ge=0, description="sriov: highest rate of each virtual function, in Mb/s; 0 is no limit.")
    mac: Literal["stable", "keep"] | None = Field(
        None,
        description="sriov: `stable` (default) is made of the session's name, for any function that it gets; `keep` takes the card's.",
    )
    internal: bool = Field(False, description="No route to the outside.")
    subnet: Subnet4 | None = Field(None, description="IPv4 subnet.")
    gateway: IPv4 | None = Field(None, description="IPv4 gateway, if there is one.")
    addresses: AddressPool | None = Field(None, description="IPv4 addresses that may be given to containers. Missing: the whole subnet.")
    subnet6: Subnet6 | None = Field(None, description="IPv6 subnet.")
    gateway6: IPv6 | None = Field(None, description="IPv6 gateway, if there is one.")
    addresses6: AddressPool | None = Field(None, description="IPv6 addresses that may be given to containers. Missing: the whole subnet.")
    default_route: bool | None = Field(
        None,
        description="Whether containers may take their default route here. Missing: for bridge yes, for macvlan and ipvlan with a gateway.",
    )

    @property
    def driver_row(self) -> Driver:
        return DRIVERS[self.driver]

    @model_validator(mode="after")
    def _mode_fits_driver(self) -> Network:
        fitting = [mode.name for mode in self.driver_row.modes]
        if self.mode is not None and self.mode not in fitting:
            raise ValueError(
                f"mode `{self.mode}` does not go with driver {self.driver}" + (f"; it knows {', '.join(fitting)}" if fitting else "")
            )
        if self.vlan is not None and self.driver_row.tags_vlan == "none":
            raise ValueError(f"a {self.driver} network has no VLAN; use macvlan or ipvlan")
        if self.mtu is not None and self.driver_row.moves_interface and self.vlan is None:
            raise ValueError(f"`mtu` of a {self.driver} network without `vlan` is that of its interface: set it there")
        functions_only = [name for name in FUNCTION_FIELDS if getattr(self, name) is not None]
        if functions_only and not self.driver_row.gives_functions:
            raise ValueError(f"`{functions_only[0]}` is a setting of virtual functions; driver {self.driver} has none")
        if self.path is not None and self.driver_row.tags_vlan == "none":
            raise ValueError(f"a {self.driver} network has no VLAN, so it cannot go over a path")
        if self.vlan_priority is not None and self.vlan is None and self.path is None:
            raise ValueError("`vlan_priority` needs `vlan`")
        if self.min_rate and self.max_rate and self.min_rate > self.max_rate:
            raise ValueError("`min_rate` is above `max_rate`")
        if self.driver_row.addresses == "ours" and self.subnet is None and self.subnet6 is None:
            raise ValueError(f"driver {self.driver} needs a subnet: containers get their addresses from dtnctl, there is no DHCP")
        return self


# --- state/sessions/ ----------------------------------------------------------------------------------------


class Session(Written):
    """One service (container) on each of its endpoints."""

    endpoints: Distinct = Field(description="Endpoints, one service each.")
    image: ImageName | None = Field(None, description="Image; missing: the profile's.")
    profile: str = Field("default", description="Profile; `default` exists without a file.")
    user: LoginName | None = Field(None, description="Login name inside the containers (container_user).")
    state: Literal["initialized", "started", "stopped"] = Field("started", description="initialized: created, not started.")
    expires: Moment | None = Field(None, description="From then on the session counts as removed.")
    labels: Labels = Field(
        default_factory=dict, description="Free pairs that `--label` selects by. Missing: those that its endpoints have, if they agree."
    )
    protect: bool = Field(
        False,
        description="Its services may not be removed, stopped or replaced, until a commit with `protect: false` has been applied.",
    )
    suspend: bool = Field(False, description="Nothing of it is changed while it is set; what runs goes on.")
    freeze: Freeze = Field((), description="Windows in which nothing of it is changed; its transfers start all the same.")
    settings: ProfileFields | None = Field(None, description="Profile fields for this session only.")
    overrides: dict[str, ProfileFields] = Field(default_factory=dict, description="Profile fields by endpoint; they win over `settings`.")

    def is_expired(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


# --- what load returns --------------------------------------------------------------------------------------

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; lines and columns count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """One file: its value, and where each of its fields stands (`marks[()]` is the file's first line)."""

    name: str
    file: str
    value: T
    marks: Mapping[Location, Mark]

    def mark(self, location: Location = ()) -> Mark:
        """Where the field stands, or the nearest one above it that was written."""
        while location and location not in self.marks:
            location = location[:-1]
        return self.marks.get(location, Mark(1, 1))

    def where(self, *location: str | int) -> str:
        """`file:line` of a field, for causes in plans."""
        return f"{self.file}:{self.mark(location).line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What the files in the folders of `state/` say, by folder and name; mappings are in name order. A field for each row of KINDS."""

    endpoints: Mapping[str, Document[Endpoint]] = field(default_factory=dict)
    networks: Mapping[str, Document[Network]] = field(default_factory=dict)
    paths: Mapping[str, Document[NetworkPath]] = field(default_factory=dict)
    profiles: Mapping[str, Document[Profile]] = field(default_factory=dict)
    sessions: Mapping[str, Document[Session]] = field(default_factory=dict)
    transfers: Mapping[str, Document[Transfer]] = field(default_factory=dict)
    tools: Mapping[str, Document[ToolFile]] = field(default_factory=dict)
    volumes: Mapping[str, Document[NvmeVolume]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site(Declarations):
    """Everything that people wrote, validated. `receipts` are records that the repository mirrors."""

    settings: Document[SiteSettings]
    receipts: tuple[Attempt, ...] = ()

    @property
    def name(self) -> str:
        return self.settings.value.name

    @property
    def repository(self) -> str:
        """The repository's id; empty for one that has none yet."""
        return self.settings.value.id or ""

    @property
    def counts_unlabelled(self) -> bool:
        """Whether objects without a repository's id are this site's."""
        return self.settings.value.id is None or self.settings.value.adopts is not None


BUILT_IN_NETWORKS = tuple(BUILT_IN)
KINDS: Mapping[str, type[Written]] = {
    "endpoints": Endpoint,
    "networks": Network,
    "paths": NetworkPath,
    "profiles": Profile,
    "sessions": Session,
    "transfers": Transfer,
    "tools": ToolFile,
    "volumes": NvmeVolume,
}
