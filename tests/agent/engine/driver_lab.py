"""An endpoint of the lab with a card of veth pairs and the agent's network driver, which can be killed like anything else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab import Lab
from lab.anchor import find_anchor
from lab.fabric import network_namespace
from lab.layout import CLONE
from tests.agent.veth_card import alias, vf_pci
from tests.lab.docker_command import Docker

ENDPOINT = "dtn1"
SUBNET, GATEWAY = "10.77.0.0/24", "10.77.0.1"


class DriverLab:
    """One endpoint. The gateway's address is that of the bridge in which the VFs' wires end."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.docker = Docker(lab, ENDPOINT)
        self.agent: subprocess.Popen[str] | None = None
        self.log = folder / "agent.log"
        self.kernel_log = folder / "kernel.log"
        folder.mkdir()
        self.program("insert", GATEWAY)
        self.kernel = self._start_kernel()
        self.start_agent()

    def command(self, *words: str) -> list[str]:
        paths = f"PYTHONPATH={CLONE}:{CLONE / 'agent'}"
        return self.lab.command(ENDPOINT, ["env", paths, sys.executable, "-m", "tests.agent.veth_agent", str(self.folder), *words])

    def program(self, *words: str) -> str:
        done = subprocess.run(self.command(*words), env=self.lab.environment(), text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, **request: Any) -> str:
        """Have a request carried out; the answer as JSON, or `refused: …`."""
        return self.program("perform", json.dumps({"site": "play", "pf": "pf0", **request}))

    def reserve(self, index: int, **settings: Any) -> str:
        """A VF for the session `run`; its address."""
        answer = self.ask(do="configure-vf", session="run", network="data", index=index, **settings)
        assert not answer.startswith("refused"), answer
        return vf_pci(index)

    def _start_kernel(self) -> subprocess.Popen[str]:
        """In the endpoint's network only, so it outlives the endpoint's power cuts."""
        anchor = find_anchor(self.lab.layout)
        assert anchor is not None
        enter = ["nsenter", f"--net={network_namespace(anchor, ENDPOINT)}", "--"]
        program = [sys.executable, "-m", "tests.agent.veth_agent", str(self.folder), "kernel"]
        environment = {**os.environ, "PYTHONPATH": f"{CLONE}:{CLONE / 'agent'}"}
        with self.kernel_log.open("a") as log:
            return subprocess.Popen([*enter, *program], cwd=CLONE, env=environment, text=True, stderr=log)

    def close(self) -> None:
        self.end_agent()
        with self.kernel:
            self.kernel.kill()

    def start_agent(self, *words: str) -> None:
        """Start it and wait until its socket is there; `after-reboot`: with a card that has forgotten everything."""
        with self.log.open("a") as log:
            command = self.command("serve", *words)
            self.agent = subprocess.Popen(command, env=self.lab.environment(), text=True, stdout=subprocess.PIPE, stderr=log)
        assert self.agent.stdout is not None
        assert self.agent.stdout.readline() == "ready\n", self.log.read_text()

    def end_agent(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the agent itself, not what entered the endpoint's namespaces for it."""
        if self.agent is None:
            return
        children = Path(f"/proc/{self.agent.pid}/task/{self.agent.pid}/children")
        for pid in children.read_text().split() if children.exists() else ():
            os.kill(int(pid), number)
        with self.agent:
            self.agent.wait()
        self.agent = None

    def network(self, name: str = "data", **options: str) -> None:
        words = [f"--opt=dtnctl.{key}={value}" for key, value in {"pf": "pf0", **options}.items()]
        self.docker("network", "create", "--driver=dtnctl", f"--subnet={SUBNET}", f"--gateway={GATEWAY}", *words, name)

    def attached(self, pci: str, host: int, network: str = "data") -> str:
        """The option of `docker create` for a place on the network, with this VF."""
        return f"--network=name={network},ip=10.77.0.{host},driver-opt=dtnctl.vf={pci}"

    def inside(self, container: str, *words: str) -> str:
        return self.docker("exec", container, *words)

    def run(self, name: str, *words: str) -> None:
        """Start a container that says, first of all, which addresses it has, and then `up`."""
        self.docker.container(name, "--stop-timeout=0", *words, "tiny:1", "sh", "-c", "ip -o addr; echo up; exec sleep 1000")

    def kill(self, container: str) -> None:
        """Kill the container's process, behind the engine's back."""
        pid = self.docker("inspect", "--format={{.State.Pid}}", container)
        self.lab.exec(ENDPOINT, ["kill", "-9", pid])

    def interface(self, index: int) -> dict[str, Any]:
        """What the endpoint itself shows of the VF's interface; nothing if it is in a container."""
        shown = json.loads(self.lab.exec(ENDPOINT, ["ip", "-json", "link"]).stdout)
        return next((link for link in shown if link.get("ifalias") == alias(self.folder / "sys", vf_pci(index))), {})

    def table(self) -> Any:
        return json.loads((self.folder / "sys/table.json").read_text())

    def ledger(self) -> Any:
        return json.loads((self.folder / "ledger.json").read_text())
