"""The lab as one object: endpoints that come up together, can be cut off and brought back, and vanish together."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import anchor, cgroups, endpoint_yaml, engines, fabric, folders, images, keys, processes, registry, releases
from lab.layout import CODE, CONTROLLER, MOST_ENDPOINTS, REGISTRY_PORT, Endpoint, LabError, default_cache, layout_of

SIZE = re.compile(r"[1-9]\d*[kmg]", re.IGNORECASE)
PROGRAMS = (
    *("dockerd", "docker", "ip", "iptables", "openssl", "ssh-keygen", "tini-static"),
    *("nsenter", "unshare", "setsid", "setpriv"),
)


def unavailable() -> str | None:
    """Why no lab can be brought up here, in words that a skipped test can show; None when one can."""
    if os.geteuid() != 0:
        return "the lab needs root, for its namespaces and engines"
    return engines.missing_programs(*PROGRAMS)


def quiet(_: str) -> None:
    """Say nothing."""


class Lab:
    """A lab in a folder. In a `with` block it comes up, and it ends with the block, or with the process if that is sooner.

    `engine` is a name of lab/releases.py. `config` goes into each engine's daemon.json, `variables` into its environment.
    """

    def __init__(
        self,
        folder: Path | str,
        count: int = 2,
        *,
        image: images.Content = "both",
        disk: str | None = None,
        engine: str = releases.OWN.name,
        config: Mapping[str, object] | None = None,
        variables: Mapping[str, str] | None = None,
        cache: Path | None = None,
        say: images.Progress = quiet,
    ) -> None:
        self.layout = layout_of(folder)
        self.count = _checked_count(count)
        self.image = image
        self.disk = _checked_size(disk)
        self.release = releases.release_named(engine)
        self.config = config or {}
        self.variables = variables or {}
        self.cache = (cache or default_cache()).resolve()
        self.say = say
        self._leash: int | None = None

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """The lab that was brought up in this folder, by whatever process."""
        layout = layout_of(folder)
        if not layout.record.exists():
            raise LabError(f"{layout.folder}: no lab is here; bring one up with `python -m lab up N --dir {folder}`")
        record = json.loads(layout.record.read_text())
        values = {name: record[name] for name in ("image", "disk", "engine", "variables")}
        return cls(folder, record["count"], **values, cache=Path(record["cache"]))

    def __enter__(self) -> Self:
        return self.up(tied=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.down()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.layout.endpoints(self.count)

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint of this name."""
        found = next((endpoint for endpoint in self.endpoints if endpoint.name == name), None)
        if found is None:
            known = ", ".join(endpoint.name for endpoint in self.endpoints)
            raise LabError(f"{name}: no such endpoint in this lab; there are {known}")
        return found

    def up(self, *, tied: bool = False) -> Self:
        """Bring everything up, after removing what an earlier run left here; on an error leave nothing.

        Tied, the lab also ends when this process ends, however that happens.
        """
        if reason := unavailable():
            raise LabError(reason)
        system = releases.system_folder(self.release, self.cache, self.say)
        images_of = images.saved_images if self.release.loads_images else images.golden_copy
        content = images_of(self.image, self.cache, self.say)
        folders.fill(self.layout, self._clean, lambda: self._bring_up(content, system, tied=tied))
        return self

    def down(self) -> None:
        """Leave nothing of the lab: no process, network, mount, control group or file. Also when there is none."""
        folders.clear(self.layout, self._clean)
        images.remove_dead_builder(self.cache)

    def command(self, name: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs argv on an endpoint, or as the controller (`ctl`), for subprocess.

        As the controller it keeps its pid and its folder, so it can be killed and sees the caller's files.
        """
        if name == CONTROLLER:
            network = f"--net={fabric.network_namespace(self._anchor(), CONTROLLER)}"
            script = ["bash", str(CODE / "controller-init.sh"), str(self.layout.folder)]
            return ["nsenter", network, "--", "unshare", "--mount", "--", *script, *argv]
        init = engines.find_endpoint_init(self.layout, self.endpoint(name))
        if init is None:
            raise LabError(f"{name}: is off; bring it back with start_engine")
        return ["nsenter", f"--target={init}", "--mount", "--net", "--uts", "--ipc", "--pid", "--", *argv]

    def environment(self) -> dict[str, str]:
        """The caller's environment with the lab's mark, for what runs in it."""
        return processes.marked_environment(self.layout.identity, "exec", DTN_LAB_DIR=str(self.layout.folder))

    def exec(self, name: str, argv: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run argv on an endpoint or as the controller and return its output."""
        command = self.command(name, argv)
        return subprocess.run(command, env=self.environment(), text=True, capture_output=True, check=check)

    def kill_engine(self, name: str) -> None:
        """Cut the endpoint's power: engine, containers and sshd are gone, what they wrote is kept."""
        engines.stop(self.layout, self.endpoint(name), signal.SIGKILL)

    def stop_engine(self, name: str) -> None:
        """Shut the endpoint down; its containers are stopped first."""
        engines.stop(self.layout, self.endpoint(name), signal.SIGTERM)

    def start_engine(self, name: str, before: Callable[[], None] | None = None) -> None:
        """Switch the endpoint on and wait until its engine answers.

        `before` is called when the endpoint is there and its engine has not started, as systemd starts what is ordered before it.
        """
        endpoint = self.endpoint(name)
        if engines.find_endpoint_init(self.layout, endpoint) is None:
            engines.launch_after(self._host(), endpoint, before or (lambda: None))
        engines.wait_until_ready(self.layout, endpoint)

    def unplug(self, name: str) -> None:
        """Pull both network cables of the endpoint (or `ctl`): nothing answers, nothing refuses."""
        fabric.set_plugged(self._anchor(), name, plugged=False)

    def plug(self, name: str) -> None:
        """Put both network cables back."""
        fabric.set_plugged(self._anchor(), name, plugged=True)

    @contextmanager
    def wire(self, interface: str) -> Iterator[None]:
        """One more wire between all endpoints for the block, with an interface of this name on each."""
        names = [endpoint.name for endpoint in self.endpoints]
        fabric.lay_further_wire(self._anchor(), names, interface)
        try:
            yield
        finally:
            fabric.remove_further_wire(self._anchor(), names, interface)

    def set_wire(self, interface: str, name: str, setting: str) -> None:
        """Change the switch's port of such a wire at an endpoint, in the words of `ip link set`: `down`, `up`, `mtu 1500`."""
        fabric.set_port(self._anchor(), fabric.port_of(interface, name), setting)

    def files(self, name: str) -> Path:
        """The root folder of a running endpoint, to read and write its files (such as data/…) from here."""
        init = engines.find_endpoint_init(self.layout, self.endpoint(name))
        if init is None:
            raise LabError(f"{name}: is off")
        return Path(f"/proc/{init}/root")

    def start_registry(self, login: registry.Login | None = None, port: int = REGISTRY_PORT) -> registry.Registry:
        """Start an image registry that every engine of the lab accepts; with a login, for that user only."""
        if reason := engines.missing_programs("docker-registry", "htpasswd"):
            raise LabError(reason)
        return registry.start_registry(self.layout, self._anchor(), login, port)

    def stop_registry(self, port: int = REGISTRY_PORT) -> None:
        """End the registry and forget its images."""
        registry.stop_registry(self.layout, port)

    def push_image(self, endpoint_name: str, image: str, target: registry.Registry, name: str) -> str:
        """Push an endpoint's image to the registry under this name; returns the reference with its digest."""
        return registry.push_image(self.endpoint(endpoint_name), image, target, name)

    def endpoint_yaml(self, name: str, transport: endpoint_yaml.Choice) -> str:
        """The endpoint's state file for dtnctl."""
        return endpoint_yaml.render_endpoint(self.endpoint(name), transport)

    def _anchor(self) -> int:
        pid = anchor.find_anchor(self.layout)
        if pid is None:
            raise LabError(f"{self.layout.folder}: the lab is not running; bring it up with `python -m lab up`")
        return pid

    def _host(self) -> engines.EngineHost:
        """As it was when the lab came up: images and systems that were made meanwhile are not for it."""
        record = json.loads(self.layout.record.read_text())
        golden = None if self.release.loads_images else Path(record["images"])
        system = Path(record["system"]) if record["system"] else None
        return engines.EngineHost(self.layout, self._anchor(), golden, system, self.variables, is_podman=bool(self.release.podman))

    def _bring_up(self, content: Path, system: Path | None, *, tied: bool) -> None:
        self.layout.record.write_text(self._record(content, system))
        if self.layout.needs_short_link():
            self.layout.short_link.symlink_to(self.layout.folder)
        for endpoint in self.endpoints:
            for folder in ("disk", "data"):
                (endpoint.folder / folder).mkdir(parents=True)
        self.say(f"keys, disks and networks for {self.count} endpoints")
        with ThreadPoolExecutor(1) as pool:
            written = pool.submit(self._write_files)
            self._leash = anchor.start_anchor(self.layout, self.endpoints, self.disk, tied=tied)
            fabric.lay_wires(self._anchor(), self.endpoints)
            written.result()
            anchor.start_resolver(self.layout, self._anchor())
        self.say(f"engines of {', '.join(endpoint.name for endpoint in self.endpoints)}")
        host = self._host()
        with ThreadPoolExecutor(self.count) as pool:
            for started in [pool.submit(self._switch_on, host, endpoint, content) for endpoint in self.endpoints]:
                started.result()

    def _switch_on(self, host: engines.EngineHost, endpoint: Endpoint, content: Path) -> None:
        engines.switch_on(host, endpoint)
        if self.release.loads_images:
            engines.load_images(endpoint, content)

    def _record(self, content: Path, system: Path | None) -> str:
        values = {
            "count": self.count,
            "image": self.image,
            "disk": self.disk,
            "engine": self.release.name,
            "variables": dict(self.variables),
        }
        places = {"cache": str(self.cache), "images": str(content), "system": str(system or "")}
        return json.dumps({"identity": self.layout.identity, **values, **places}, indent=2)

    def _write_files(self) -> None:
        keys.make_keys(self.layout, self.endpoints)
        for endpoint in self.endpoints:
            config = engines.engine_config(has_containerd_store=self.release.has_containerd_store)
            engines.write_endpoint_files(endpoint, {**config, **self.config})
        hosts = [f"{endpoint.control_ip} {endpoint.name} {endpoint.full_name}" for endpoint in self.endpoints]
        hosts += [f"{endpoint.data_ip} {endpoint.name}-data" for endpoint in self.endpoints]
        text = "\n".join(["127.0.0.1 localhost", *hosts, ""])
        for folder in (self.layout.controller, *(endpoint.folder for endpoint in self.endpoints)):
            (folder / "hosts").write_text(text)
        (self.layout.controller / "resolv.conf").write_text(engines.RESOLV_CONF)

    def _clean(self) -> None:
        """Remove everything of the lab but its folder."""
        processes.end_all(self.layout.identity)
        if self._leash is not None:
            os.close(self._leash)
            self._leash = None
        cgroups.remove_groups(self.layout.cgroup)
        if self.release.podman:
            cgroups.remove_empty_groups(engines.PODMAN_GROUP)
        if self.layout.short_link.is_symlink():
            self.layout.short_link.unlink()
        folders.empty(self.layout)


def _checked_count(count: int) -> int:
    if not 1 <= count <= MOST_ENDPOINTS:
        raise LabError(f"{count} endpoints: give a number from 1 to {MOST_ENDPOINTS}")
    return count


def _checked_size(size: str | None) -> str | None:
    if size is not None and not SIZE.fullmatch(size):
        raise LabError(f"{size}: give a size such as 512m or 2g")
    return size
