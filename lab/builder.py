"""The engine that makes the lab's images, once, in a cache folder; gone when they are made."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import cgroups, engines, processes
from lab.layout import CODE, LabError

ROLE = "builder"
START_SECONDS = 30.0
# on the machine's own network, which must stay as it is
NETWORK_OPTIONS = ("--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false")
PLACES = (
    "--data-root=/run/lab/engine",
    "--exec-root=/run/docker",
    "--pidfile=/run/docker.pid",
    "--host=unix:///run/lab/docker.sock",
)
NAMESPACES = ("--mount", "--ipc", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc")
# it must not outlive us, not even when we are killed
UNTIL_WE_END = ("setpriv", "--pdeathsig", "KILL")
# the parts of an engine's data that are images
IMAGE_PARTS = ("image", "overlay2")


class Builder:
    """A running engine to import and build images with; the caller holds the cache's lock."""

    def __init__(self, cache: Path, golden: Path | None = None) -> None:
        """With a golden copy of images, the engine starts with these."""
        self.golden = golden
        self.folder = cache / "builder"
        self.identity = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        self.cgroup = f"dtnlab-{self.identity}"

    def __enter__(self) -> Self:
        self.remove()
        self.folder.mkdir(parents=True)
        (self.folder / "daemon.json").write_text(json.dumps(engines.ENGINE_CONFIG))
        if self.golden is not None:
            copy_layers(self.golden, self.folder / "engine")
        self._process = self._start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.remove()

    def docker(self, *words: str, environment: dict[str, str] | None = None) -> str:
        """Run a docker command on this engine and return its output."""
        # a relative socket path, because the absolute one may be too long
        command = ["docker", "--host=unix://docker.sock", *words]
        variables = {**os.environ, "DOCKER_BUILDKIT": "0", **(environment or {})}
        done = subprocess.run(command, cwd=self.folder, env=variables, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise LabError(f"docker {words[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def run_apart(self, command: Sequence[str]) -> None:
        """Run a program that mounts things in namespaces that end with it, and with us."""
        run_apart(command, self.folder, self.identity)

    def take_images(self, target: Path) -> None:
        """Stop the engine and move its images to the target folder, complete or not at all."""
        init = processes.find_init(self.identity, ROLE)
        if init is None or not processes.end([init], signal.SIGTERM):
            raise LabError("the engine that builds images did not stop")
        fresh = self.folder / "golden"
        fresh.mkdir()
        for part in IMAGE_PARTS:
            (self.folder / "engine" / part).rename(fresh / part)
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.rename(target)

    def remove(self) -> None:
        """Leave nothing of this engine, or of one that was killed before."""
        processes.end_all(self.identity)
        if process := getattr(self, "_process", None):
            process.wait()
        cgroups.remove_groups(self.cgroup)
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _start(self) -> subprocess.Popen[bytes]:
        options = [*PLACES, *NETWORK_OPTIONS, f"--cgroup-parent=/{self.cgroup}"]
        script = ["bash", str(CODE / "builder-init.sh"), str(self.folder), engines.runtime_folder(), *options]
        command = [*UNTIL_WE_END, "unshare", *NAMESPACES, "--", *script]
        environment = processes.marked_environment(self.identity, ROLE, LAB_PYTHON=sys.executable)
        with (self.folder / "init.log").open("wb") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                logs = [log for name in ("init.log", "engine.log") if (log := self.folder / name).exists()]
                raise LabError("the engine that builds images did not start:\n" + "".join(log.read_text() for log in logs))
            time.sleep(0.05)

    def _answers(self) -> bool:
        init = processes.find_init(self.identity, ROLE)
        return init is not None and engines.answers(Path(f"/proc/{init}/root/run/lab/docker.sock"))


def copy_layers(source: Path, target: Path) -> None:
    """Copy a folder of image layers with owners and attributes, and devices as devices: /dev/full, read, has no end."""
    subprocess.run(["cp", "--archive", str(source), str(target)], check=True)


def run_apart(command: Sequence[str], folder: Path, identity: str) -> None:
    """Run a program that mounts things in namespaces that end with it, and with us; its log and temporary files are in `folder`."""
    log = folder / "program.log"
    environment = processes.marked_environment(identity, "program", TMPDIR=str(folder))
    with log.open("wb") as output:
        whole = [*UNTIL_WE_END, "unshare", *NAMESPACES, "--", *command]
        done = subprocess.run(whole, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, check=False)
    if done.returncode != 0:
        raise LabError(f"{command[0]} failed:\n{log.read_text(errors='replace')[-2000:]}")
