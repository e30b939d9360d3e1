"""The pretended computer below an engine: its processors, interfaces, devices and folders, and what its registry holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tests.fakes.files import empty_tree, make_folders
from tests.fakes.state import Json, Tree

HOST_FOLDERS = ("/data", "/dev/shm", "/etc", "/home", "/nvme", "/run", "/sys/fs/cgroup", "/tmp", "/var/lib")
DEVICES = (
    "/dev/fuse",
    "/dev/infiniband/rdma_cm",
    "/dev/infiniband/uverbs0",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
)


@dataclass(frozen=True, slots=True)
class RegistryImage:
    """An image that can be pulled. With a `password` the pull must bring it; with `broken` the pull fails half way."""

    config: Json = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    username: str = ""
    password: str = ""
    broken: str = ""


class NetworkDriver(Protocol):
    """A network driver outside the engine. Both raise EngineError where it says no."""

    def create(self, options: Mapping[str, str]) -> None:
        """A network with these options."""

    def join(self, container: str, network_options: Mapping[str, str], options: Mapping[str, str]) -> str:
        """A container, by id, gets an interface in such a network. `options` are its endpoint's; returns the MAC."""


@dataclass(slots=True)
class Machine:
    """Facts of the host that the engine checks requests against. Change them before or between calls."""

    address: str = "127.0.0.1"
    cpus: int = 4
    memory_nodes: int = 1
    memory: int = 64 * 2**30
    interfaces: set[str] = field(default_factory=lambda: {"eth0", "eth1"})
    devices: set[str] = field(default_factory=lambda: set(DEVICES))
    default_ulimits: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Soft and hard limits by name, as `default-ulimits` of daemon.json gives them to every container."""
    network_options: dict[str, dict[str, str]] = field(default_factory=dict)
    """Options by driver, as `default-network-opts` of daemon.json gives them to every new network."""
    publishes_ipv6: bool = True
    drivers: dict[str, NetworkDriver] = field(default_factory=dict)
    """Network drivers beside the engine, by name. Who has left is not told: they see who runs."""
    clock_ahead: float = 0.0
    """Seconds by which its clock differs from this machine's, as its answers show."""
    registry: dict[str, RegistryImage] = field(default_factory=dict)
    """What can be pulled: "dtnaas/ofed:latest" -> image."""

    def first_files(self) -> Tree:
        """The host's folders when the machine is new."""
        tree = empty_tree()
        for path in HOST_FOLDERS:
            make_folders(tree, path)
        return tree
