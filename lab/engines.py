"""Starts, watches and stops the endpoints' engines."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.fabric import network_namespace
from lab.keys import KEY_EXCHANGE
from lab.layout import API_PORT, CODE, CONTROL_NET, CONTROLLER_HOST, DATA_NET, Endpoint, LabError, Layout
from lab.processes import end, find_init, marked_environment, start_until_ready

START_SECONDS = 60.0
STOP_SECONDS = 30.0
CAP_SYS_RESOURCE = 24
LOG_LINES = 8
SYSTEM_PYTHON = "/usr/bin/python3"
# containers without a route to one of the two nets get their "no such name" over the other
RESOLV_CONF = f"nameserver {CONTROL_NET}.{CONTROLLER_HOST}\nnameserver {DATA_NET}.{CONTROLLER_HOST}\noptions timeout:1 attempts:1\n"
PODMAN_GROUP = "libpod_parent"  # the control group above those of its containers, the same for every Podman
# the golden copies are in the layout of overlay2, which newer engines use only when told so
ENGINE_CONFIG = {
    "storage-driver": "overlay2",
    "features": {"containerd-snapshotter": False},
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "insecure-registries": [f"{CONTROL_NET}.0/24"],
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What this machine keeps the lab from doing, in words that a skipped test can show; None when it does not."""

    resource_limits: str | None


@dataclass(frozen=True, slots=True)
class EngineHost:
    """What the engines of one lab have in common: images to start with, the system that they run on (None: this machine's), variables.

    `is_podman`: they are Podmans of that system.
    """

    layout: Layout
    anchor: int
    golden: Path | None
    system: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    is_podman: bool = False


def has_sys_resource() -> bool:
    """Whether root may raise resource limits here; some containers and small virtual machines may not."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(bounding.split()[1], 16) >> CAP_SYS_RESOURCE & 1)


def limits() -> Limits:
    """What cannot be tested on this machine."""
    if has_sys_resource():
        return Limits(None)
    return Limits("no CAP_SYS_RESOURCE here: containers do not get the resource limits and capabilities they ask for")


def runtime_folder() -> str:
    """The folder that goes first in an engine's PATH: empty where the real runc can do everything."""
    return "" if has_sys_resource() else str(CODE / "runtime")


def engine_config(*, has_containerd_store: bool) -> dict[str, object]:
    """daemon.json of an engine; one with containerd's image store cannot start from a golden copy."""
    if not has_containerd_store:
        return dict(ENGINE_CONFIG)
    other = {name: value for name, value in ENGINE_CONFIG.items() if name != "storage-driver"}
    return {**other, "features": {"containerd-snapshotter": True}}


def load_images(endpoint: Endpoint, tar: Path) -> None:
    """Give a running engine the images of a tar."""
    command = ["docker", f"--host={endpoint.unix_url}", "load", f"--input={tar}"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{endpoint.name}: docker load: {done.stderr.strip()}")


def write_endpoint_files(endpoint: Endpoint, config: Mapping[str, object]) -> None:
    """Write the files that the endpoint's start reads; `config` is daemon.json."""
    (endpoint.folder / "resolv.conf").write_text(RESOLV_CONF)
    (endpoint.folder / "daemon.json").write_text(json.dumps(config))
    (endpoint.folder / "sshd_config").write_text(
        f"ListenAddress {endpoint.control_ip}:22\n"
        "HostKey /run/lab/hostkey\nAuthorizedKeysFile /run/lab/authorized_keys\nPidFile /run/sshd.pid\n"
        "PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        f"UsePAM no\nStrictModes no\nUseDNS no\nSubsystem sftp internal-sftp\n{KEY_EXCHANGE}"
    )


def find_endpoint_init(layout: Layout, endpoint: Endpoint) -> int | None:
    """The pid of the endpoint's PID 1, or None when it is off."""
    return find_init(layout.identity, endpoint.name)


def launch(host: EngineHost, endpoint: Endpoint) -> None:
    """Switch the endpoint on; its engine answers a little later."""
    namespaces = ["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
    golden = str(host.golden or "")
    script = [str(CODE / "endpoint-init.sh"), endpoint.name, str(endpoint.folder), golden, str(host.system or ""), runtime_folder()]
    engine = ["podman", *_podman_options()] if host.is_podman else ["dockerd", *_engine_options(host, endpoint)]
    inside = ["setsid", "--fork", "unshare", *namespaces, "--", "bash", *script, *engine]
    network = f"--net={network_namespace(host.anchor, endpoint.name)}"
    command = ["nsenter", f"--target={host.anchor}", "--mount", "--pid", network, "--", *inside]
    python = SYSTEM_PYTHON if host.system else sys.executable  # of the wrapper before runc
    environment = {**marked_environment(host.layout.identity, endpoint.name, LAB_PYTHON=python), **host.environment}
    start_until_ready(command, endpoint.name, endpoint.folder / "init.log", environment)


def launch_after(host: EngineHost, endpoint: Endpoint, work: Callable[[], None]) -> None:
    """Switch the endpoint on, do the work, and only then let its engine start."""
    waits = endpoint.folder / "engine-waits"
    waits.touch()
    try:
        launch(host, endpoint)
        work()
    finally:
        waits.unlink()


def wait_until_ready(layout: Layout, endpoint: Endpoint, timeout: float = START_SECONDS) -> None:
    """Return when the engine answers; raise with the end of its log when it does not."""
    deadline = time.monotonic() + timeout
    init = find_endpoint_init(layout, endpoint)
    while not answers(endpoint.socket):
        if time.monotonic() > deadline or not Path(f"/proc/{init}").exists():
            raise LabError(f"{endpoint.name}: the engine did not start:\n{_last_lines(endpoint.folder)}")
        time.sleep(0.02)


def switch_on(host: EngineHost, endpoint: Endpoint) -> None:
    """Switch the endpoint on and return when its engine answers."""
    launch(host, endpoint)
    wait_until_ready(host.layout, endpoint)


def stop(layout: Layout, endpoint: Endpoint, number: signal.Signals) -> None:
    """Switch the endpoint off: SIGTERM lets the engine stop its containers, SIGKILL is a power cut."""
    init = find_endpoint_init(layout, endpoint)
    if init is None:
        return
    if not end([init], number, STOP_SECONDS):
        end([init], signal.SIGKILL)


def answers(path: Path, timeout: float = 5.0) -> bool:
    """Whether an engine answers on this unix socket."""
    connection = http.client.HTTPConnection("engine", timeout=timeout)
    try:
        with socket.socket(socket.AF_UNIX) as plug:
            plug.settimeout(timeout)
            plug.connect(os.fspath(path))
            connection.sock = plug
            connection.request("GET", "/_ping")
            return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False


def missing_programs(*names: str) -> str | None:
    """One sentence that names every program that is missing, and what to do; None when all are there."""
    missing = [name for name in names if shutil.which(name) is None]
    if not missing:
        return None
    return f"missing on this machine: {', '.join(missing)}; run hack/system-packages.sh as root"


def _engine_options(host: EngineHost, endpoint: Endpoint) -> list[str]:
    sockets = ["unix:///run/docker.sock", "unix:///run/lab/docker.sock", f"tcp://{endpoint.control_ip}:{API_PORT}"]
    tls = ["--tlsverify", "--tlscacert=/run/lab/ca.pem", "--tlscert=/run/lab/cert.pem", "--tlskey=/run/lab/key.pem"]
    places = ["--data-root=/run/lab/disk/engine", "--exec-root=/run/docker", "--pidfile=/run/docker.pid"]
    group = f"--cgroup-parent=/{host.layout.cgroup}/{endpoint.name}"
    return [*places, *(f"--host={url}" for url in sockets), *tls, group]


def _podman_options() -> list[str]:
    """One address only: Podman takes no second one, and none with certificates."""
    runtime = [f"--runtime={folder}/runc"] if (folder := runtime_folder()) else ["--runtime=runc"]
    places = ["--root=/run/lab/disk/engine", "--runroot=/run/podman", "--cgroup-manager=cgroupfs", "--storage-driver=overlay"]
    return [*places, *runtime, "system", "service", "--time=0", "unix:///run/lab/docker.sock"]


def _last_lines(folder: Path) -> str:
    logs = [folder / name for name in ("init.log", "engine.log")]
    lines = [line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()]
    return "\n".join([line for line in lines if "level=info" not in line][-LOG_LINES:])
