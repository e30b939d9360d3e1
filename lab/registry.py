"""An image registry in the lab, at the controller, to test pulling with; open, or with a user and a password."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lab import fabric, processes
from lab.layout import CONTROL_NET, CONTROLLER, CONTROLLER_HOST, REGISTRY_PORT, Endpoint, LabError, Layout

START_SECONDS = 20.0
LISTENING = "listening on"
DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Login:
    """Who may push and pull."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Registry:
    """A running registry."""

    address: str
    login: Login | None

    def reference(self, name: str) -> str:
        """The image's name for an engine of the lab."""
        return f"{self.address}/{name}"


def start_registry(layout: Layout, anchor: int, login: Login | None, port: int = REGISTRY_PORT) -> Registry:
    """Start a registry and return when it listens."""
    address = f"{CONTROL_NET}.{CONTROLLER_HOST}:{port}"
    folder = layout.folder / _role(port)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(_config(folder, address, login)))
    network = f"--net={fabric.network_namespace(anchor, CONTROLLER)}"
    program = ["setsid", "--fork", "docker-registry", "serve", str(folder / "config.json")]
    command = ["nsenter", f"--target={anchor}", "--mount", "--pid", network, "--", *program]
    log = folder / "log"
    with log.open("wb") as output:
        environment = processes.marked_environment(layout.identity, _role(port))
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, check=True)
    _wait_until_listening(log)
    return Registry(address, login)


def stop_registry(layout: Layout, port: int = REGISTRY_PORT) -> None:
    """End the registry and forget its images."""
    processes.end(processes.find_marked(layout.identity, _role(port)), signal.SIGKILL)
    shutil.rmtree(layout.folder / _role(port), ignore_errors=True)


def push_image(endpoint: Endpoint, image: str, registry: Registry, name: str) -> str:
    """Push an endpoint's image under this name; returns the reference with its digest. The endpoint keeps no new tag."""
    target = registry.reference(name)
    _docker(endpoint, registry, "tag", image, target)
    pushed = _docker(endpoint, registry, "push", target)
    _docker(endpoint, registry, "rmi", target)
    repository = target.rpartition(":")[0] if ":" in name else target
    return f"{repository}@{DIGEST.findall(pushed)[-1]}"  # Podman's own note of it is that of another form of the image


def _docker(endpoint: Endpoint, registry: Registry, *words: str) -> str:
    settings = endpoint.folder / "docker-cli"
    settings.mkdir(exist_ok=True)
    (settings / "config.json").write_text(json.dumps(_client_config(registry)))
    command = ["docker", f"--host={endpoint.unix_url}", *words]
    environment = {**os.environ, "DOCKER_CONFIG": str(settings)}
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{endpoint.name}: docker {words[0]}: {done.stderr.strip()}")
    return done.stdout


def _client_config(registry: Registry) -> dict[str, object]:
    if registry.login is None:
        return {}
    words = f"{registry.login.user}:{registry.login.password}".encode()
    return {"auths": {registry.address: {"auth": base64.b64encode(words).decode()}}}


def _config(folder: Path, address: str, login: Login | None) -> dict[str, object]:
    storage = {"filesystem": {"rootdirectory": str(folder / "images")}, "delete": {"enabled": True}}
    config: dict[str, object] = {"version": 0.1, "storage": storage, "http": {"addr": address}}
    if login is not None:
        path = folder / "htpasswd"
        command = ["htpasswd", "-B", "-b", "-n", login.user, login.password]
        path.write_text(subprocess.run(command, text=True, capture_output=True, check=True).stdout)
        config["auth"] = {"htpasswd": {"realm": "lab", "path": str(path)}}
    return config


def _role(port: int) -> str:
    return f"registry-{port}"


def _wait_until_listening(log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while LISTENING not in (text := log.read_text(errors="replace")):
        if time.monotonic() > deadline:
            raise LabError(f"the registry did not start: {text[-2000:]}")
        time.sleep(0.02)
