"""What people write of containers, in `state/profiles/` and in the settings of sessions. No I/O, no defaults that depend on an endpoint."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dtnctl.model.address_fields import IP, IPv4, IPv6
from dtnctl.model.container_parts import Capabilities, HealthCheck, UlimitField
from dtnctl.model.drivers import ENGINE_BRIDGE
from dtnctl.model.engine_fields import (
    Arguments,
    ContainerMemory,
    CpuNumbers,
    Cpus,
    DeviceText,
    EntryPoint,
    ImageName,
    LimitName,
    LoginName,
    MountTarget,
    OwnSysctl,
    OwnSysctlValue,
    PublicKey,
    RestartPolicy,
    SomeSize,
    StopTimeout,
    check_distinct_devices,
    check_distinct_targets,
    check_limits,
    check_volume_name,
    clean_path,
)
from dtnctl.model.fields import (
    Duration,
    ExposedPorts,
    OneOrMany,
    OrShort,
    Port,
    PortRange,
    check_name,
)
from dtnctl.model.qos import Qos
from dtnctl.model.secret_fields import Environment
from dtnctl.model.written import Written

NVME = "nvme:"  # a source that starts with it names a file in state/volumes
Words = Annotated[tuple[str, ...], Field(strict=False)]


def _volume_from_text(value: Any) -> Any:
    """`/nvme/data:/data:ro`, `name:/data`, `nvme:name:/data` or `/data` (bind to the same path) as a mapping."""
    if not isinstance(value, str):
        return value
    over = NVME if value.startswith(NVME) else ""
    source, _, rest = value.removeprefix(over).partition(":")
    target, _, mode = rest.partition(":")
    return {"source": over + source, "target": target or source, **({"mode": mode} if mode else {})}


def _check_nvme_source(value: str) -> str:
    return NVME + check_name(value.removeprefix(NVME))


class Volume(Written):
    """One mount. A source that starts with `/` is a bind mount, `nvme:NAME` a file in `state/volumes/`; another name is a named volume;
    no source is a tmpfs."""

    type: Literal["bind", "volume", "tmpfs", "nvme"] | None = Field(None, description="Missing: `source` decides.")
    source: str | None = Field(None, description="Host path (bind), volume name (volume), or `nvme:NAME`.")
    target: MountTarget = Field(description="Path in the container; that of the device where the volume has no file system.")
    mode: Literal["rw", "ro"] = Field("rw", description="`ro` is honoured, and the default of `nvme:NAME`.")
    driver: str | None = Field(None, description="Volume driver of a named volume.")
    driver_opts: dict[str, str] = Field(default_factory=dict, description="Options of the volume driver.")
    size: SomeSize | None = Field(None, description="Size of a tmpfs.")

    @model_validator(mode="before")
    @classmethod
    def _source_is_in_its_one_form(cls, value: Any) -> Any:
        """A path or the name of a volume, by what the mount is; both are said in full, so that equal ones are equal texts."""
        source = value.get("source") if isinstance(value, dict) else None
        if not isinstance(source, str) or value.get("type") == "tmpfs":
            return value
        if source.startswith(NVME) and value.get("type") in (None, "nvme"):
            return {"mode": "ro", **value, "source": _check_nvme_source(source)}
        is_path = value.get("type") == "bind" or (source.startswith("/") and value.get("type") is None)
        return {**value, "source": clean_path(source) if is_path else check_volume_name(source)}

    @property
    def kind(self) -> Literal["bind", "volume", "tmpfs", "nvme"]:
        if self.type is not None:
            return self.type
        if self.source is None:
            return "tmpfs"
        if self.source.startswith(NVME):
            return "nvme"
        return "bind" if self.source.startswith("/") else "volume"

    @property
    def nvme(self) -> str:
        """The name of its file in state/volumes; empty for every other kind."""
        return (self.source or "").removeprefix(NVME) if self.kind == "nvme" else ""

    @model_validator(mode="after")
    def _fields_fit_kind(self) -> Volume:
        if self.kind == "bind" and not self.source:
            raise ValueError("a bind mount needs an absolute host path as `source`")
        if self.kind == "volume" and not self.source:
            raise ValueError("a named volume needs its name as `source`")
        if self.kind == "nvme" and not (self.source or "").startswith(NVME):
            raise ValueError(f"a volume over NVMe-oF needs `source: {NVME}NAME`, with the name of a file in state/volumes")
        if self.kind == "tmpfs" and self.source is not None:
            raise ValueError("a tmpfs has no source")
        if self.kind != "volume" and (self.driver or self.driver_opts):
            raise ValueError("`driver` belongs to named volumes")
        if self.kind != "tmpfs" and self.size is not None:
            raise ValueError("`size` belongs to tmpfs")
        return self


VolumeField = Annotated[Volume, BeforeValidator(_volume_from_text), OrShort({"type": "string"})]


class Attachment(Written):
    """A network of a profile, with fixed addresses where wanted; a list gives the first free one of it."""

    name: str = Field(description="Name of a file in state/networks, or `bridge`.")
    ipv4: Annotated[tuple[IPv4, ...], OneOrMany, Field(strict=False), OrShort({"type": "string"})] = Field(
        (), description="Fixed IPv4 address, or several to choose from."
    )
    ipv6: Annotated[tuple[IPv6, ...], OneOrMany, Field(strict=False), OrShort({"type": "string"})] = Field(
        (), description="Fixed IPv6 address, or several to choose from."
    )


def _attachment_from_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


AttachmentField = Annotated[Attachment, BeforeValidator(_attachment_from_name), OrShort({"type": "string"})]


class ProfileFields(Written):
    """Everything that a profile, a session's `settings` and its `overrides` can say. Missing means "as inherited"."""

    image: ImageName | None = Field(None, description="Image, if the session names none.")
    volumes: Annotated[tuple[VolumeField, ...], Field(strict=False), AfterValidator(check_distinct_targets)] = Field(
        (), description="Mounts."
    )
    devices: Annotated[tuple[DeviceText, ...], Field(strict=False), AfterValidator(check_distinct_devices)] = Field(
        (),
        description="`rdma_cm`, `uverbs` (the verbs device of the service's own virtual function or interface; needs the agent, and brings "
        "IPC_LOCK and unlimited locked memory along), or paths: `/dev/fuse`, `/dev/nvme0n1:/dev/disk:r`.",
    )
    limits: Annotated[dict[LimitName, UlimitField], AfterValidator(check_limits)] = Field(
        default_factory=dict, description="ulimits: `memlock: -1`, or {soft, hard}."
    )
    capabilities: Capabilities = Field(default_factory=Capabilities, description="Linux capabilities.")
    privileged: bool = Field(False, description="All capabilities and devices of the host.")
    systemd: bool = Field(False, description="The container runs systemd: it is stopped by SIGRTMIN+3.")
    env: Environment = Field(
        default_factory=dict,
        description="Environment. A number is the text that it is written as, null is the empty text, `{secret: REFERENCE}` "
        "[a secret](secrets.md).",
    )
    user: LoginName | None = Field(None, description="Login name inside the container (USER_NAME).")
    ssh_keys: Annotated[tuple[PublicKey, ...], Field(strict=False)] = Field(
        (), description="Public keys that may log in (PUBLIC_KEY, a line each)."
    )
    dns: Annotated[tuple[IP, ...], Field(strict=False)] = Field((), description="Name servers.")
    arguments: Arguments | None = Field(None, description="The container's command: a list, or text split as a shell does.")
    entrypoint: EntryPoint | None = Field(None, description="Replaces the image's entry point.")
    memory: ContainerMemory = Field(8 * 1024**3, description="Memory limit; `null`, `false` or `0`: none.")
    cpus: Cpus | None = Field(
        None, description="CPU time, in CPUs; `null` or `0`: no limit. With `near`: how many whole CPUs the service has to itself."
    )
    near: Literal["data_net", "any"] | None = Field(
        None,
        description="Pins `cpus` whole CPUs, which no other session gets: `data_net` those of the NUMA node of the primary data network's "
        "interface, with their memory; `any` of one node where possible. Needs the agent.",
    )
    cpu_set: CpuNumbers | None = Field(None, description="CPUs to run on: `0-3,8`.")
    memory_nodes: CpuNumbers | None = Field(None, description="NUMA nodes to take memory from: `0`.")
    sysctls: dict[OwnSysctl, OwnSysctlValue] = Field(
        default_factory=dict, description="Kernel settings of the container's own namespaces, `net.…` mostly."
    )
    tune_container: bool = Field(
        True, description="Give the container the endpoint's tuned sysctls that each network namespace has of its own; `sysctls` win."
    )
    qos: Qos | None = Field(None, description="Rate, pace, delay and loss of what it sends; needs the agent.")
    init: bool = Field(False, description="Run an init (tini) as process 1.")
    tty: bool = Field(True, description="Give process 1 a terminal.")
    shm_size: SomeSize = Field(64 * 1024**2, description="Size of /dev/shm.")
    restart: RestartPolicy = Field("unless-stopped", description="Restart policy.")
    stop_timeout: StopTimeout = Field(10.0, description="Time to stop before it is killed.")
    health_check: HealthCheck | None = Field(None, description="When the service counts as ready. Missing: the image's own, if it has one.")
    settle: Duration = Field(1.0, description="How long a service without a health check must run after its start to count as ready.")
    pull: Literal["missing", "always", "never"] = Field("missing", description="When the image is pulled; `always` compares digests first.")
    mgmt_net: AttachmentField | None = Field(
        Attachment(name=ENGINE_BRIDGE), description="Management network; `host`, `bridge`, a name, or null for none."
    )
    data_nets: Annotated[tuple[AttachmentField, ...], Field(strict=False)] = Field(
        (), description="Data networks; the first one is the primary one."
    )
    default_route: str | None = Field(
        None, description="Network that carries the default route. Missing: mgmt_net if it can, else the first data network that can."
    )
    ctrl_port_range: PortRange | None = Field((30000, 30200), description="One control port is chosen from it (CTRL_PORT).")
    internal_port: Port | None = Field(None, description="Port in the container that the control port maps to. Missing: the same number.")
    serv_port_range: PortRange | None = Field(None, description="One service port is chosen from it (SERV_PORT).")
    data_port_range: PortRange | None = Field(None, description="All of it is published 1:1 on bridges (DATA_PORTS).")
    exposed_ports: ExposedPorts = Field((), description="More ports, published 1:1: `8080`, `4791/udp`, `5000-5010/tcp`.")

    @model_validator(mode="after")
    def _cpus_are_said_once(self) -> ProfileFields:
        if self.privileged and (self.capabilities.add or self.devices):
            raise ValueError("privileged already gives all capabilities and devices; remove them or privileged")
        if self.near is not None and self.cpu_set is not None:
            raise ValueError("`near` chooses CPUs and `cpu_set` names them; remove one")
        return self


class Profile(ProfileFields):
    """A named set of container settings."""

    extends: str | None = Field(None, description="Profile to inherit from; mappings merge by key, everything else is replaced.")
