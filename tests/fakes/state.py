"""What one engine remembers: plain data, cheap to pickle, without behaviour. Everything a snapshot must hold is here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object as the API sends it; the engine keeps Config and HostConfig in the API's own shape."""


@dataclass(frozen=True, slots=True)
class Node:
    """One object of a file system; `kind` is file, dir, link or pipe. Replaced when it changes, so trees may share nodes."""

    kind: str
    content: bytes = b""
    target: str = ""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0


Tree: TypeAlias = dict[str, Node]
"""Absolute, normal path -> node. "/" is always there."""


@dataclass(slots=True)
class LogLine:
    """One write of the main process; `stream` is 1 for stdout and 2 for stderr."""

    stream: int
    text: bytes
    at: int


@dataclass(slots=True)
class Endpoint:
    """A container's place in one network. Addresses are empty while the container does not run."""

    network_id: str = ""
    endpoint_id: str = ""
    gateway: str = ""
    address: str = ""
    prefix_length: int = 0
    gateway6: str = ""
    address6: str = ""
    prefix_length6: int = 0
    mac_address: str = ""
    ipam_config: Json | None = None
    links: list[str] | None = None
    aliases: list[str] | None = None
    driver_options: dict[str, str] | None = None


@dataclass(slots=True)
class Mount:
    """What is seen at `destination`; `kind` is bind, volume or tmpfs."""

    kind: str
    source: str
    destination: str
    name: str = ""
    driver: str = ""
    mode: str = ""
    writable: bool = True
    propagation: str = ""


@dataclass(slots=True)
class Container:
    """A container. Times are nanoseconds since 1970; 0 means never."""

    id: str
    name: str
    created: int
    image_id: str
    config: Json
    host_config: Json
    files: Tree
    mounts: list[Mount] = field(default_factory=list)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    tmpfs: dict[str, Tree] = field(default_factory=dict)
    running: bool = False
    restarting: bool = False
    dead: bool = False
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    started_at: int = 0
    finished_at: int = 0
    restart_count: int = 0
    stopped_by_user: bool = False
    health: str = ""
    checks_until_healthy: int = 0
    check_output: str = ""
    ports: dict[str, list[dict[str, str]] | None] = field(default_factory=dict)
    sandbox_id: str = ""
    networked: bool = False
    """Whether a start got as far as having all its networks."""
    logs: list[LogLine] = field(default_factory=list)


@dataclass(slots=True)
class Pool:
    """An address pool of a network. `gateway` is the one in use; `declared` holds what the client asked for."""

    subnet: str
    gateway: str
    address_range: str = ""
    reserved: dict[str, str] = field(default_factory=dict)
    declared: Json | None = None


@dataclass(slots=True)
class Network:
    """A network; `parent` is the host's interface of a macvlan or ipvlan."""

    id: str
    name: str
    created: int
    driver: str
    pools: list[Pool] = field(default_factory=list)
    ipv6: bool = False
    internal: bool = False
    attachable: bool = False
    options: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    ipam_options: dict[str, str] | None = None
    parent: str = ""


@dataclass(slots=True)
class Image:
    """An image; `config` is its run configuration (empty for an imported tar)."""

    id: str
    created: int
    config: Json
    files: Tree
    tags: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    comment: str = ""
    parent: str = ""
    container: str = ""
    container_config: Json = field(default_factory=dict)
    author: str = ""
    size: int = 0
    layers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Volume:
    """A named or anonymous local volume."""

    name: str
    created: int
    driver: str = "local"
    labels: dict[str, str] | None = None
    options: dict[str, str] | None = None
    anonymous: bool = False
    files: Tree = field(default_factory=dict)


@dataclass(slots=True)
class Exec:
    """A command asked for inside a container; `exit_code` is None until it has ended."""

    id: str
    container_id: str
    argv: list[str]
    config: Json
    running: bool = False
    exit_code: int | None = None
    pid: int = 0


@dataclass(slots=True)
class EngineState:
    """Everything one engine knows, keyed by id (volumes by name). `serial` feeds ids and process numbers."""

    containers: dict[str, Container] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    execs: dict[str, Exec] = field(default_factory=dict)
    host: Tree = field(default_factory=dict)
    serial: int = 0
    next_pool: int = 0
    next_pid: int = 1000
