"""What `seen.yaml` of a case may say; read strictly. README.md beside this file describes it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Live(Strict):
    """A container of a session: as the state declares it, with these choices, but for what `change` says."""

    ctrl_port: int = 0
    serv_port: int = 0
    addresses: dict[str, str] = {}
    functions: dict[str, str] = {}
    cpus: str = ""
    verbs: list[str] = []
    change: dict[str, bool | int | float | str] = {}
    env: dict[str, str] = {}
    image: str = ""
    git: Literal["same", "other"] = "same"
    protected: str = ""
    state: Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"] = "running"
    exit_code: int = 0
    health: Literal["", "starting", "healthy", "unhealthy"] = ""


class Job(Strict):
    """A container of a transfer, named TRANSFER.gGENERATIONaATTEMPT, in the network of a session's container. `moved` of `total` bytes."""

    session: str
    state: Literal["created", "running", "exited"] = "running"
    exit_code: int = 0
    moved: int | None = None
    total: int | None = None


class LiveNetwork(Strict):
    """A network: as declared, but for `options`, fields of NetworkSpec; or with a driver and subnets of its own."""

    driver: str = ""
    subnets: list[str] = []
    options: dict[str, Any] = {}
    git: Literal["same", "other"] = "same"


class Stranger(Strict):
    ports: list[int] = []
    addresses: dict[str, str] = {}


class Record(Strict):
    transfer: str
    generation: int = 1
    attempt: int = 1
    container: str = ""
    released: bool = False
    verdict: Literal["succeeded", "failed", "cancelled", "unknown"] | None = None
    cause: str = ""
    retryable: bool = False
    bytes: int = 0
    seconds: float = 0.0
    verified: str = ""


class Nic(Strict):
    """A card on a NUMA node. `vfs` functions are there, of at most `total`; `by_hand` sets fields of one as protocol.Vf names them."""

    node: Literal[0, 1] = 0
    mtu: int = 9000
    vfs: int = 0
    total: int = 0
    rdma: bool = False
    addresses: list[str] = []
    by_hand: dict[int, dict[str, bool | int | str]] = {}


class HeldFor(Strict):
    """A function that the agent's ledger has for a session: its network declares the settings, but for what `change` says."""

    session: str
    network: str
    function: str
    site: str = ""
    change: dict[str, bool | int | str | None] = {}


class MadeVlan(Strict):
    """A sub-interface that the agent made for us; `gone`: somebody took it away."""

    mtu: int = 9000
    gone: bool = False


class Exported(Strict):
    """A volume that it exports for us at this address, to the hosts of these endpoints; `change` sets fields of HeldExport."""

    at: str
    hosts: list[str] = []
    fault: str = ""
    change: dict[str, Any] = {}


class Connected(Strict):
    """A volume that it has connected for us, from the target's address; `own` is the host's. As declared but for `change`."""

    at: str
    own: str = ""
    state: str = "live"
    mounted: bool = True
    mode: Literal["ro", "rw"] = "ro"
    change: dict[str, Any] = {}


class Machine(Strict):
    """What the endpoint's agent tells: two sockets of 16 CPUs, NVMe at /nvme on node 1, these interfaces."""

    interfaces: dict[str, Nic] = {}
    made: dict[str, int] = {}
    held: list[HeldFor] = []
    vlans: dict[str, MadeVlan] = {}
    listeners: dict[int, str] = {}
    readings: dict[str, str] = {}
    lacks: list[str] = []
    exports: dict[str, Exported] = {}
    volumes: dict[str, Connected] = {}
    nvme: dict[str, Any] = {}


class Endpoint(Strict):
    silent: str = ""
    host: Machine | None = None
    agent_silent: str = ""
    images: dict[str, int] = {}
    registry: dict[str, int] = {}
    containers: dict[str, Live] = {}
    jobs: dict[str, Job] = {}
    networks: dict[str, LiveNetwork] = {}
    foreign: dict[str, Stranger] = {}
    foreign_networks: dict[str, LiveNetwork] = {}
    ledger: list[Record] | None = None
    lease: str = ""
    markers: dict[str, str] = {}


class Asked(Strict):
    targets: list[str] = []
    excludes: list[str] = []
    replace: list[str] = []
    prune: int | str | None = None
    destroy: bool = False
    override_freeze: str = ""
    interrupt: list[str] = []
    defer: bool = False


class Seen(Strict):
    """The whole file."""

    asked: Asked = Asked()
    endpoints: dict[str, Endpoint] = Field(min_length=1)
