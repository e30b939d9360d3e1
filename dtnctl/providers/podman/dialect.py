"""How Podman's API is spoken for one that speaks Docker's: paths, bodies and answers, at the wire. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dtnctl.providers.podman import containers, networks
from dtnctl.providers.podman.health import check_is_due
from dtnctl.providers.podman.notes import Json

LIBPOD_API = "5.0.0"
OLDEST_MAJOR = 5
LIBPOD = "/libpod"
PATHS = {
    ("GET", "/images/{}/json"): "/libpod/images/{}/json",  # its Docker API hides an image's health check
    ("GET", "/networks"): "/libpod/networks/json",
    ("GET", "/networks/{}"): "/libpod/networks/{}/json",
    ("GET", "/containers/{}/json"): "/libpod/containers/{}/json",
    ("GET", "/containers/{}/healthcheck"): "/libpod/containers/{}/healthcheck",
    ("POST", "/networks/create"): "/libpod/networks/create",
    ("DELETE", "/containers/{}"): "/libpod/containers/{}",
    ("DELETE", "/networks/{}"): "/libpod/networks/{}",  # its Docker API removes one in use
}
ANSWERS: Mapping[str, Callable[[Any], Any]] = {
    "/networks": networks.networks_seen,
    "/networks/{}": networks.network_seen,
    "/containers/json?all=1": containers.containers_listed,
    "/images/{}/json": containers.image_seen,
    "/volumes/{}": containers.volume_seen,
}
BODIES: Mapping[str, Callable[[Json], dict[str, Any]]] = {
    "/networks/create": networks.network_body,
    "/networks/{}/connect": containers.connection_body,
    "/containers/{}/update": containers.update_body,
}


@dataclass(frozen=True, slots=True)
class PodmanDialect:
    """A Podman that has answered. `host` waits for its answer to /info, for which it starts other programs: half a second of a quiet host.

    It raises UnreachableError for a Podman that is not worked with. `now` returns the time there.
    """

    host: Callable[[], Json]
    now: Callable[[], datetime]
    backend: str = "Podman"
    guards_names_only: bool = True
    connects_blindly: bool = True  # 5.4 shows no container at all while it keeps one that failed

    def admit(self) -> None:
        self.host()

    def identity(self, networks: Iterable[Json]) -> str:  # noqa: ARG002  others have it there
        """The host's name: Podman has no id of its own, and its own network has the same one everywhere."""
        return str(self.host().get("Name") or "")

    def path(self, method: str, path: str, version: str) -> str:
        found = PATHS.get((method, path), path)
        return f"/v{LIBPOD_API if found.startswith(LIBPOD) else version}{found}"

    def names(self, path: str, names: Iterable[str]) -> tuple[str, ...]:
        is_network = path.startswith("/networks/")
        return tuple(networks.podmans_name(name) if is_network else name for name in names)

    def known(self, path: str) -> Any:
        """What need not be asked again. Its ID is another one each time."""
        return {**self.host(), "ID": ""} if path == "/info" else None

    def answer(self, path: str, raw: Any) -> Any:
        if path == "/containers/{}/json":
            return containers.container_seen(raw, self.now())
        return ANSWERS[path](raw) if path in ANSWERS else raw

    def check_is_due(self, container: Json) -> bool:
        return check_is_due(container, self.now())

    def body(self, path: str, body: Any) -> Any:
        return BODIES[path](body) if path in BODIES else body

    def container_body(self, body: Json, image: Json) -> Any:
        return containers.container_body(body, image.get("Config") or {})

    def params(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """A forced removal kills at once, as Docker's does: Podman would wait for the stop timeout."""
        return {**params, "timeout": 0} if method == "DELETE" and params.get("force") else params


def why_too_old(number: str) -> str:
    """Why a Podman of this version is not worked with, and what to do; empty if it is."""
    major = number.partition(".")[0]
    if major.isdecimal() and int(major) >= OLDEST_MAJOR:
        return ""
    return f"Podman {number} answers there; dtnctl needs Podman {OLDEST_MAJOR} or newer, or Docker Engine 20.10 or newer: update it"


def why_rootless_is_refused(host: Json) -> str:
    """Why a Podman with this answer to /info is not worked with, and what to do; empty if it is."""
    if "name=rootless" not in (host.get("SecurityOptions") or ()):
        return ""
    return (
        "a Podman without root answers there; ports below 1024, macvlan networks and devices need root: "
        "`systemctl enable --now podman.socket` on the endpoint, and its socket /run/podman/podman.sock in `docker:`"
    )
