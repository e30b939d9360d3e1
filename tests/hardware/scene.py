"""A site whose endpoints are the guests, and the dtnctl program on this machine: what every scenario plays with."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import docker

from lab.hardware import NEAR_NIC, Guest, Guests
from lab.hardware.remote import login_options
from tests.site_folder import SiteFolder

CLONE = Path(__file__).parents[2]
SITE = "virtual"
NETWORK = "star222"
BOTH = ("dtn1", "dtn2")
LINKS = "ip -br link | cut -d' ' -f1 | sort"  # names of a host's interfaces
APPLY_SECONDS = 300.0
LOCK = 6  # exit code
# an emulated processor is slow, and a busy machine makes it slower
ENVIRONMENT = {"DTNCTL_TIMEOUT": "60", "PYTHONPATH": str(CLONE)}
Value = TypeVar("Value")


class Scene(SiteFolder):
    """Write state, run dtnctl, look at engines and kernels of both guests."""

    def __init__(self, guests: Guests, root: Path) -> None:
        super().__init__(root, {**os.environ, **ENVIRONMENT}, APPLY_SECONDS)
        self.guests = guests
        self.engines = {guest.name: _engine(guest) for guest in guests.all}
        self.reached = {guest.name: guest.state for guest in guests.all}
        self.write("site", {"name": SITE})
        for guest in guests.all:
            self.endpoint(guest.name)

    # --- state ---

    def endpoint(self, name: str, **more: Any) -> None:
        """A guest with its agent; the owner allows everything."""
        allow = {"mounts": ["/usr"], "devices": ["*"], "capabilities": ["*"]}
        self.write(f"endpoints/{name}", {**self.reached[name], "allow": allow, **more})

    def through_ssh(self, name: str) -> None:
        """Reach the guest by nothing but its login from now on; `ssh` of the scene's programs knows all guests."""
        self.reached[name] = self.guests.guest(name).ssh_state
        self.environment["PATH"] = path_with_ssh(self.guests, self.root / "bin")
        self.endpoint(name)

    def sriov(self, **more: Any) -> None:
        """The data network as virtual functions, and four of them wanted on each guest."""
        value = {"driver": "sriov", "subnet": "10.40.0.0/24", "addresses": "10.40.0.10-10.40.0.60"}
        self.write(f"networks/{NETWORK}", {**value, **more})
        tuning = {"interfaces": {NEAR_NIC: {"mtu": more["mtu"]}}} if "mtu" in more else {}
        for name in BOTH:
            self.endpoint(name, interfaces={NETWORK: NEAR_NIC}, vfs={NEAR_NIC: 4}, tuning=tuning)

    def profile(self, name: str = "tools", **more: Any) -> None:
        """Containers that see the guest's own programs."""
        value = {"image": "tools:1", "arguments": ["sleep", "infinity"], "init": True, "volumes": ["/usr:/usr:ro"], "memory": "128MiB"}
        plain = {"tty": False, "stop_timeout": "2s", "mgmt_net": None, "data_nets": [NETWORK], "ctrl_port_range": None, "restart": "always"}
        self.write(f"profiles/{name}", {**value, **plain, **more})

    def session(self, name: str = "run", **more: Any) -> None:
        """A session across both guests."""
        self.write(f"sessions/{name}", {"endpoints": list(BOTH), "profile": "tools", **more})

    # --- the guests ---

    def on(self, name: str, script: str, *, seconds: float = 60.0) -> str:
        """Run a script on a guest."""
        return self.guests.remote(name).run(script, seconds=seconds)

    def on_both(self, script: str, *, seconds: float = 60.0) -> dict[str, str]:
        return both(lambda name: self.on(name, script, seconds=seconds))

    def inside(self, name: str, script: str, *, session: str = "run", seconds: float = 60.0) -> str:
        """Run a script in a session's container on a guest."""
        return self.on(name, f"docker exec {SITE}.{session} sh -c {_quoted(script)}", seconds=seconds)

    def container(self, name: str, session: str = "run") -> dict[str, Any]:
        """Inspect of a session's container on a guest."""
        value: dict[str, Any] = self.engines[name].inspect_container(f"{SITE}.{session}")
        return value

    def leave(self) -> None:
        """Take everything of the site off the guests, the way that users do; what was never there costs one plan."""
        for kind in ("sessions", "profiles", "volumes", "networks"):
            for file in (self.root / "state" / kind).glob("*.yaml"):
                file.unlink()
        for name in BOTH:
            self.endpoint(name)
        ran = self.apply("--max-prune=100")
        if ran.code == LOCK:  # on a busy machine a guest may answer too late for its lease; later modules would find what is left
            ran = self.apply("--max-prune=100")
        for engine in self.engines.values():
            engine.close()
        ran.expect(0)


def path_with_ssh(guests: Guests, folder: Path) -> str:
    """A PATH whose `ssh` knows all guests and has the key that they let in; the program for it is written into this folder."""
    folder.mkdir(exist_ok=True)
    known = " ".join(f"{guest.folder}/known_hosts" for guest in guests.all)
    options = login_options(guests.layout, guests.all[0]) | {"UserKnownHostsFile": known}
    words = " ".join(f"-o {shlex.quote(f'{option}={value}')}" for option, value in options.items())
    (folder / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F none {words} "$@"\n')
    (folder / "ssh").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def both(act: Callable[[str], Value]) -> dict[str, Value]:
    """The same on both guests at the same time."""
    with ThreadPoolExecutor(len(BOTH)) as pool:
        return dict(zip(BOTH, pool.map(act, BOTH), strict=True))


def _engine(guest: Guest) -> docker.APIClient:
    tls = docker.tls.TLSConfig(ca_cert=str(guest.tls.ca), client_cert=(str(guest.tls.cert), str(guest.tls.key)), verify=True)
    client = docker.APIClient(base_url=guest.engine_url, tls=tls, version="1.41", timeout=60)
    client.trust_env = False  # REQUESTS_CA_BUNDLE in the environment would win over our authority
    return client


def _quoted(script: str) -> str:
    return "'" + script.replace("'", "'\\''") + "'"
