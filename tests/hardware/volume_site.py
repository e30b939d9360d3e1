"""The site of scenarios with volumes: what it declares, what both agents have of that, and what may be left of it afterwards."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from dtnctl.model.site import Endpoint
from dtnctl.providers.agent.client import AgentClient, connect_agent
from dtnctl.providers.timeouts import Timeouts
from tests.hardware.crashes import crash, has, ledger, seen
from tests.hardware.scene import NETWORK, SITE, Scene
from tests.hardware.volume_hosts import assert_nothing_left

DRIVE = "/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_dtn2-node1"
FILE = "/srv/scratch.img"
TARGETS: dict[str, dict[str, Any]] = {"tcp": {"device": DRIVE}, "rdma": {"file": FILE, "size": "400MiB", "port": 4421}}
FILE_SYSTEMS = {"tcp": "ext4", "rdma": "xfs"}  # mkfs.xfs makes nothing below 300 MiB
BOTH_KINDS = tuple(TARGETS)
MOUNT_FOLDER = f"/var/lib/dtn-agent/volumes/{SITE}"
KEY_FILE = "/var/lib/dtn-agent/volume-keys.json"
MOUNTED = has('"mount": {')
UNMOUNTING = has('"is_being_unmounted": true')
PATIENCE = 180.0


class Volumes:
    """What a session on dtn1 sees of its volumes, and what the agents have of them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def declare(self, mode: str = "rw", *kinds: str, **more: Any) -> None:
        """A session with these volumes and no others; each one's name is its transport."""
        kinds = kinds or BOTH_KINDS
        for kind in {*BOTH_KINDS} - {*kinds}:
            (self.scene.root / f"state/volumes/{kind}.yaml").unlink(missing_ok=True)
        for kind in kinds:
            value = {"transport": kind, "filesystem": FILE_SYSTEMS[kind], "format": "if-empty", "queues": 1, **more}
            self.scene.write(f"volumes/{kind}", {"target": {"endpoint": "dtn2", "network": NETWORK, **TARGETS[kind]}, **value})
        self.mount(mode, *kinds)

    def mount(self, mode: str, *names: str) -> None:
        """The session, which has them below its root."""
        mounts = [{"source": f"nvme:{name}", "target": f"/{name}", "mode": mode} for name in names]
        self.scene.profile(data_nets=[], volumes=["/usr:/usr:ro", *mounts])
        self.scene.session(endpoints=["dtn1"])

    def host(self, name: str) -> dict[str, Any]:
        """What an agent reports."""
        found: dict[str, Any] = self.scene.run("endpoints", "show", name, "-o", "json").expect(0).json["host"]
        return found

    def held(self, name: str = "dtn1", part: str = "volumes") -> dict[str, Any]:
        """What an agent has of them, by name."""
        return {item["volume"]: item for item in self.host(name)["held"][part]}

    def wait_for(self, state: str) -> None:
        """Until dtn1's agent reports all in this state."""
        until = time.monotonic() + PATIENCE
        found = self.held()
        while {item["state"] for item in found.values()} != {state}:
            assert time.monotonic() < until, found
            time.sleep(1)
            found = self.held()

    def read(self, *kinds: str) -> str:
        return self.scene.inside("dtn1", f"cat {' '.join(f'/{kind}/file' for kind in kinds or BOTH_KINDS)}", seconds=60)

    def agent(self, name: str) -> AgentClient:
        """For requests that dtnctl never makes."""
        endpoint = Endpoint.model_validate(self.scene.guests.guest(name).state)
        return connect_agent(name, endpoint, read_only=False, root=Path("/"), timeouts=Timeouts(connect=60, answer=60, write=150))

    # --- killed ---

    def make_killed(self) -> None:
        """Make the one that is declared, by runs that are killed with the agent at each step; the last one converges."""
        crash(self.scene, "dtn2", seen("exports", filled=True))
        crash(self.scene, "dtn1", seen("volumes", filled=True))
        crash(self.scene, "dtn1", MOUNTED)
        self.scene.converge()
        assert len(ledger(self.scene, "dtn2")["exports"]) == len(ledger(self.scene, "dtn1")["volumes"]) == 1

    def remove_killed(self) -> None:
        """The same the other way round; the session is declared no more."""
        crash(self.scene, "dtn1", f"{UNMOUNTING} || ! {MOUNTED}")
        crash(self.scene, "dtn1", seen("volumes", filled=False))
        crash(self.scene, "dtn2", seen("exports", filled=False))
        self.scene.converge("--max-prune=100")
        self.assert_gone()

    def assert_gone(self) -> None:
        """No ledger, no kernel and no file of keys has anything of a volume."""
        assert (ledger(self.scene, "dtn1")["volumes"], ledger(self.scene, "dtn2")["exports"]) == ([], [])
        assert_nothing_left(self.scene, MOUNT_FOLDER)
        assert set(self.scene.on_both(f"grep -c DHHC {KEY_FILE} || true").values()) <= {"", "0\n"}

    def leave(self) -> None:
        """The session, and then nothing of its volumes is there."""
        (self.scene.root / "state/sessions/run.yaml").unlink(missing_ok=True)
        self.scene.converge("--max-prune=100")
        self.assert_gone()
