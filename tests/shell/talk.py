"""The two scenes of the SC20 talk as scripts for `dtnctl shell`, and a site in which they can be typed.

Endpoints, images, profiles, networks and numbers have the talk's names; the hosts are the lab's. The talk's last transfer is by RDMA, which
the lab has not: rsync stands in its place.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import yaml

from lab import Lab
from tests.forked_program import program_in
from tests.repository.branching import commit, git

HOSTS = {"nersc-tbn-6": "dtn1", "nersc-tbn-7": "dtn2", "starlight-dtn": "dtn3", "surf-dtn-ppc": "dtn4"}
IMAGES = ("dtnaas/ofed:latest", "dtnaas/gct:latest")
NUMBERS = {4: "nersc", 8: "gct", 11: "star"}
SIZE = 32 * 1024**2
SESSIONS: Mapping[int, Mapping[str, Any]] = {
    4: {"endpoints": ["nersc-tbn-6", "nersc-tbn-7"], "image": "dtnaas/ofed", "profile": "star-rdma"},
    8: {"endpoints": ["starlight-dtn", "surf-dtn-ppc"], "image": "dtnaas/gct:latest", "profile": "surf"},
    11: {"endpoints": ["nersc-tbn-7", "starlight-dtn"], "image": "dtnaas/ofed:latest", "profile": "star-rdma"},
}
PROFILE = {
    "volumes": ["/data:/data"],
    "user": "dtnaas",
    "init": True,
    "memory": None,
    "cpus": None,
    "stop_timeout": "2s",
    "pull": "never",
    "ctrl_port_range": [30000, 30010],
    "data_port_range": [50100, 50199],
}
FIRST_SCENE = (
    "cd active",
    "ls",
    "cd 8",
    "ls",
    "cd services",
    "ls",
    "cd surf-dtn-ppc",
    "ls",
    "transfer starlight-dtn:/data/1T surf-dtn-ppc:/data/1T gridftp",
    "apply --yes --no-wait",
    "show transfers",
)
LOG = "show transfers log 1"  # typed twice while it runs
SECOND_SCENE = (
    "cd active",
    "session create nersc-tbn-7,starlight-dtn image dtnaas/ofed:latest profile star-rdma",
    "apply --yes",
    "ls",
    "cd 12",
    "ls",
    "cd services",
    "ls",
    "cd starlight-dtn",
    "ls",
    "cd /active",
    "ls",
    "session start 12",
    "apply --yes",
    "ls",
    "transfer nersc-tbn-7:/data/1T starlight-dtn:/data/1T_2 rsync",
    "apply --yes",
    "show transfers",
    "show transfers log 2",
    "show transfers log 2 src",
)


@dataclass(frozen=True)
class Talk:
    """The site in a folder, and the lab that its endpoints are in."""

    lab: Lab
    root: Path

    def write(self, path: str, value: Mapping[str, Any]) -> None:
        file = self.root / "state" / f"{path}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(dict(value), sort_keys=False))

    def make(self) -> None:
        """Sessions 4, 8 and 11 as in the talk, the last one stopped, and a file on two hosts."""
        for endpoint in self.lab.endpoints:
            engine = docker.APIClient(base_url=endpoint.unix_url, version="1.41", timeout=60)
            for name in IMAGES:
                repository, _, tag = name.partition(":")
                engine.tag("dtn:1", repository, tag)
            engine.close()
        for host in HOSTS.values():
            self.lab.exec(host, ["sh", "-c", "mkdir -p /data && chmod 1777 /data"])
        for name, size in (("starlight-dtn", SIZE), ("nersc-tbn-7", SIZE // 8)):
            self.lab.exec(HOSTS[name], ["sh", "-c", f"head -c {size} /dev/urandom >/data/1T && chmod 644 /data/1T"])
        self._declare()
        self._number()
        self.shell("apply --yes")
        stopped = self.root / f"state/sessions/{NUMBERS[11]}.yaml"
        stopped.write_text(f"{stopped.read_text()}state: stopped\n")
        commit(self.root, "session stop 11")
        self.shell("apply --yes")

    def _declare(self) -> None:
        self.write("site", {"name": "scinet", "id": "5c20d7a0a5e1"})
        for name, subnet, first in (("net3989", "192.168.4", 178), ("star222", "192.168.2", 59)):
            addresses = f"{subnet}.{first}-{subnet}.{first + 30}"
            self.write(f"networks/{name}", {"driver": "macvlan", "subnet": f"{subnet}.0/24", "addresses": addresses})
        self.write("profiles/surf", {**PROFILE, "data_nets": ["net3989"]})
        self.write("profiles/star-rdma", {**PROFILE, "data_nets": ["star222"]})
        for name, host in HOSTS.items():
            value = yaml.safe_load(self.lab.endpoint_yaml(host, "unix"))
            allow = {"mounts": ["/data"], "devices": ["*"], "capabilities": ["*"]}
            self.write(f"endpoints/{name}", {**value, "interfaces": {"net3989": "eth1", "star222": "eth2"}, "allow": allow})

    def _number(self) -> None:
        """Eleven commits with a session each, and one that removes those that the talk's list has no more."""
        git(self.root, "init", "--quiet")
        for number in range(1, 12):
            name = NUMBERS.get(number, f"past-{number}")
            self.write(f"sessions/{name}", SESSIONS.get(number, SESSIONS[4]))
            git(self.root, "add", "--all")
            git(self.root, "-c", "user.name=admin", "commit", "--quiet", "--message", f"session create {name}")
        for file in (self.root / "state/sessions").glob("past-*.yaml"):
            file.unlink()
        commit(self.root, "what was")

    @contextlib.contextmanager
    def slow(self, endpoint: str) -> Iterator[None]:
        """The endpoint sends its data no faster."""
        where = ["dev", "eth1", "root"]
        limit = ["tbf", "rate", "16mbit", "burst", "256kb", "latency", "100ms"]
        self.lab.exec(HOSTS[endpoint], ["tc", "qdisc", "add", *where, *limit])
        try:
            yield
        finally:
            self.lab.exec(HOSTS[endpoint], ["tc", "qdisc", "del", *where])

    def shell(self, *lines: str) -> str:
        """What the shell shows of the script, with the lines themselves; it fails where one of them does."""
        ran = self.run(lines)
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def run(self, lines: Sequence[str]) -> subprocess.CompletedProcess[str]:
        script = self.root.parent / "script"
        script.write_text("".join(f"{line}\n" for line in lines))
        home = {"HOME": str(self.lab.layout.home), "XDG_STATE_HOME": str(self.root.parent / "home")}
        environment = {**self.lab.environment(), **home, "GIT_CONFIG_GLOBAL": "/dev/null"}
        return program_in(self.lab).run(["shell", "--echo"], self.root, environment, streams={0: str(script)})
