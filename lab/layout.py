"""What is where in a lab: names, addresses and paths. Nothing here touches the machine."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

CODE = Path(__file__).resolve().parent
CLONE = CODE.parent
CONTROL_NET = "10.10.0"
DATA_NET = "10.20.0"
CONTROLLER = "ctl"
CONTROLLER_HOST = 254
MOST_ENDPOINTS = 99
API_PORT = 2376
REGISTRY_PORT = 5000
# a unix socket's path has 108 bytes with its final NUL
LONGEST_SOCKET_PATH = 107
# folders that an endpoint replaces by its own, so nothing of the caller's can live there
REPLACED = tuple(Path(folder) for folder in ("/run", "/data", "/proc", "/sys", "/dev"))


class LabError(Exception):
    """Something about the lab that its user can read and act on."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The client's side of mutual TLS."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One host of the lab with an engine of its own."""

    name: str
    number: int
    folder: Path
    socket: Path
    tls: TlsFiles

    @property
    def full_name(self) -> str:
        """The name that the files of `dtnctl init` have for it."""
        return f"{self.name}.example.net"

    @property
    def control_ip(self) -> str:
        return f"{CONTROL_NET}.{10 + self.number}"

    @property
    def data_ip(self) -> str:
        return f"{DATA_NET}.{10 + self.number}"

    @property
    def unix_url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def tcp_url(self) -> str:
        return f"tcp://{self.control_ip}:{API_PORT}"

    @property
    def ssh_url(self) -> str:
        return f"ssh://root@{self.control_ip}"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one lab; `folder` is absolute and free of links."""

    folder: Path

    @property
    def identity(self) -> str:
        """A short id that two labs in different folders do not share."""
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]

    @property
    def cgroup(self) -> str:
        return f"dtnlab-{self.identity}"

    @property
    def record(self) -> Path:
        return self.folder / "lab.json"

    @property
    def pki(self) -> Path:
        return self.folder / "pki"

    @property
    def home(self) -> Path:
        """The controller's home folder."""
        return self.folder / "home"

    @property
    def controller(self) -> Path:
        return self.folder / CONTROLLER

    @property
    def tls(self) -> TlsFiles:
        return TlsFiles(self.pki / "ca.pem", self.pki / "cert.pem", self.pki / "key.pem")

    @property
    def short_link(self) -> Path:
        """A short name for the folder, made only when sockets in it would have too long a path."""
        return Path("/tmp") / self.cgroup  # noqa: S108  the shortest folder there is; a taken name is an error

    def needs_short_link(self) -> bool:
        return len(os.fsencode(self.folder / "dtn99" / "docker.sock")) > LONGEST_SOCKET_PATH

    def endpoint(self, number: int) -> Endpoint:
        name = f"dtn{number}"
        base = self.short_link if self.needs_short_link() else self.folder
        return Endpoint(name, number, self.folder / name, base / name / "docker.sock", self.tls)

    def endpoints(self, count: int) -> tuple[Endpoint, ...]:
        return tuple(self.endpoint(number) for number in range(1, count + 1))


def layout_of(folder: Path | str) -> Layout:
    """The layout for a folder, refused when the lab could not see it."""
    path = Path(folder).resolve()
    for needed in (path, CODE):
        hidden = next((top for top in REPLACED if needed.is_relative_to(top)), None)
        if hidden is not None:
            raise LabError(f"{needed}: endpoints have a {hidden} of their own; choose a folder outside of it")
    return Layout(path)


def default_folder() -> Path:
    return Path(os.environ.get("DTN_LAB_DIR") or CLONE / "build" / "lab")


def default_cache() -> Path:
    return Path(os.environ.get("DTN_LAB_CACHE") or CLONE / "build" / "cache").resolve()
