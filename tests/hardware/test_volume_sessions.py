"""Sessions with volumes over NVMe-oF, by dtnctl alone: over TCP and over RDMA, lost and found, through power cuts and kill -9, removed.

dtn2 exports two: its NVMe drive over TCP, a file over RDMA. A session on dtn1 has both. What others made stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab.hardware import NEAR_NIC
from tests.hardware.crashes import crash, ledger, seen
from tests.hardware.scene import NETWORK, SITE, Scene
from tests.hardware.volume_hosts import ADDRESSES, THEIR_CONNECTION, assert_nothing_left, data_wire, prepare

DRIVE = "/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_dtn2-node1"
OTHER_DRIVE, LOCAL = DRIVE.replace("node1", "node0"), DRIVE.replace("dtn2", "dtn1")
FILE = "/srv/scratch.img"
ALLOW = {"mounts": ["/usr"], "devices": ["*"], "volumes": ["nvme"], "exports": ["/srv/*", "/dev/disk/by-id/nvme-*"]}
TARGETS: dict[str, dict[str, Any]] = {"tcp": {"device": DRIVE}, "rdma": {"file": FILE, "size": "400MiB", "port": 4421}}
# as far as drives must be empty
EMPTY = f"rm -f {FILE}; for drive in {DRIVE} {OTHER_DRIVE}; do dd if=/dev/zero of=$drive bs=1M count=20 conv=fsync status=none; done"
FILE_SYSTEMS = {"tcp": "ext4", "rdma": "xfs"}
# Not by the interface: rxe's own queue pair for connections stays in error once the interface was down. Only of TCP: the kernel counts
# tries in place of time, and over RDMA each takes some 80 s while the target's host is silent.
AWAY = f"INPUT -i {NEAR_NIC} -j DROP"
BOTH_KINDS = tuple(TARGETS)
MOUNTED = '"mount": {'
SUBSYSTEMS = "/sys/kernel/config/nvmet/subsystems"
SECOND_HOST = "--hostnqn=nqn.2001-01.com.example:second --hostid=aaaaaaaa-0000-4000-8000-000000000002"
PATIENCE = 180.0


class Volumes:
    """What a session on dtn1 sees of both volumes, and what the agents have of them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def declare(self, mode: str = "rw", *kinds: str, **more: Any) -> None:
        """A session with these volumes; each one's name is its transport."""
        kinds = kinds or BOTH_KINDS
        for kind in kinds:
            value = {"transport": kind, "filesystem": FILE_SYSTEMS[kind], "format": "if-empty", "queues": 1, **more}
            self.scene.write(f"volumes/{kind}", {"target": {"endpoint": "dtn2", "network": NETWORK, **TARGETS[kind]}, **value})
        mounts = [{"source": f"nvme:{kind}", "target": f"/{kind}", "mode": mode} for kind in kinds]
        self.scene.profile(data_nets=[], volumes=["/usr:/usr:ro", *mounts])
        self.scene.session(endpoints=["dtn1"])

    def held(self, name: str = "dtn1", part: str = "volumes") -> dict[str, Any]:
        """What an agent has of them, by name."""
        shown = self.scene.run("endpoints", "show", name, "-o", "json").expect(0).json
        return {item["volume"]: item for item in shown["host"]["held"][part]}

    def wait_for(self, state: str) -> None:
        """Until dtn1's agent reports both in this state."""
        until = time.monotonic() + PATIENCE
        found = self.held()
        while {item["state"] for item in found.values()} != {state}:
            assert time.monotonic() < until, found
            time.sleep(1)
            found = self.held()

    def read(self) -> str:
        return self.scene.inside("dtn1", "cat /tcp/file /rdma/file", seconds=60)

    def leave(self) -> None:
        """The session, and then nothing of its volumes is there."""
        (self.scene.root / "state/sessions/run.yaml").unlink(missing_ok=True)
        self.scene.converge("--max-prune=100")
        assert_nothing_left(self.scene, f"/var/lib/dtn-agent/volumes/{SITE}")


@pytest.fixture(scope="module")
def volumes(scene: Scene) -> Iterator[Volumes]:
    with data_wire(scene):
        scene.write(f"networks/{NETWORK}", {"driver": "macvlan", "subnet": "10.44.0.0/24"})
        for name in ADDRESSES:
            scene.endpoint(name, interfaces={NETWORK: NEAR_NIC}, allow=ALLOW)
        found = Volumes(scene)
        scene.on("dtn2", EMPTY)
        yield found
        found.leave()
        scene.on("dtn1", "umount /srv/local || true")
        scene.on("dtn2", EMPTY)


def test_session_writes_and_reads_volumes_over_tcp_and_over_rdma(volumes: Volumes) -> None:
    scene = volumes.scene
    volumes.declare()
    planned = scene.plan().expect(0).out
    assert "exports" in planned
    assert "writes to the target (push)" in planned
    scene.converge()
    assert {name: item["portal"]["transport"] for name, item in volumes.held().items()} == {"tcp": "tcp", "rdma": "rdma"}
    for kind in BOTH_KINDS:
        written = scene.inside("dtn1", f"head -c 8000000 /dev/urandom >/{kind}/data; sync; md5sum </{kind}/data", seconds=120)
        scene.on("dtn1", "echo 3 >/proc/sys/vm/drop_caches")
        assert scene.inside("dtn1", f"echo before >/{kind}/file; sync; md5sum </{kind}/data", seconds=120) == written


def test_another_host_is_refused_by_the_target(volumes: Volumes) -> None:
    """Who is not declared may not connect, though the portal can be reached: here the target's own host under another name."""
    nqn = volumes.held()["tcp"]["nqn"]
    command = f"modprobe nvme-tcp; nvme connect -t tcp -a {ADDRESSES['dtn2']} -s 4420 -n {nqn} {SECOND_HOST}"
    assert volumes.scene.guests.remote("dtn2").finish(command).code != 0
    assert nqn not in volumes.scene.on("dtn2", "cat /sys/class/nvme/*/subsysnqn")


def test_second_writer_is_refused_with_the_lines_of_both(volumes: Volumes) -> None:
    scene = volumes.scene
    scene.write("sessions/second", {"endpoints": ["dtn2"], "profile": "tools"})
    refused = scene.run("validate").expect(65)
    scene.remove("sessions/second")
    assert "E0394" in refused.out + refused.err


def test_initiator_comes_back_by_itself_after_a_power_cut(volumes: Volumes) -> None:
    """Its container starts while nothing is mounted, for the data network comes later, and sees the volumes once they are there."""
    scene = volumes.scene
    scene.guests.kill("dtn1")
    scene.guests.start("dtn1")
    assert "No such file" in scene.guests.remote("dtn1").finish(f"docker exec {SITE}.run cat /tcp/file").err
    prepare(scene, "dtn1")
    scene.on("dtn1", THEIR_CONNECTION)
    volumes.wait_for("live")
    assert volumes.read() == "before\nbefore\n"
    scene.assert_nothing_to_do()


def test_target_that_was_given_up_is_drift_and_apply_brings_it_back(volumes: Volumes) -> None:
    scene = volumes.scene
    volumes.declare("rw", "tcp", ctrl_loss="5s")
    scene.remove("volumes/rdma")
    scene.converge("--max-prune=100")
    scene.on("dtn2", f"iptables -I {AWAY}")
    volumes.wait_for("gone")
    assert "is gone" in scene.plan().out
    scene.on("dtn2", f"iptables -D {AWAY}")
    volumes.wait_for("live")
    scene.converge()
    assert scene.inside("dtn1", "cat /tcp/file") == "before\n"


def test_what_is_read_only_cannot_be_written(volumes: Volumes) -> None:
    scene = volumes.scene
    volumes.declare("ro")
    scene.converge()
    assert volumes.read() == "before\nbefore\n"
    for kind in BOTH_KINDS:
        assert "Read-only" in scene.guests.remote("dtn1").finish(f"docker exec {SITE}.run touch /{kind}/more").err


def test_one_is_removed_and_the_other_comes_back_while_the_target_is_off(volumes: Volumes) -> None:
    """A power cut of the target: what is removed meanwhile is free on the other host, and withdrawn when the target is back."""
    scene = volumes.scene
    volumes.declare()
    scene.converge()
    scene.guests.kill("dtn2")
    volumes.declare("rw", "rdma")
    scene.remove("volumes/tcp")
    scene.apply("--max-prune=100").expect(3)
    assert set(volumes.held()) == {"rdma"}
    scene.guests.start("dtn2")
    prepare(scene, "dtn2")
    volumes.wait_for("live")
    scene.converge("--max-prune=100")
    assert scene.inside("dtn1", "cat /rdma/file") == "before\n"
    assert set(volumes.held("dtn2", "exports")) == {"rdma"}


def test_what_was_being_removed_is_removed_after_kills_at_every_step(volumes: Volumes) -> None:
    scene = volumes.scene
    scene.remove("sessions/run")
    crash(scene, "dtn1", f"! grep -q '{MOUNTED}' /var/lib/dtn-agent/ledger.json")
    crash(scene, "dtn1", seen("volumes", filled=False))
    crash(scene, "dtn2", seen("exports", filled=False))
    scene.converge("--max-prune=100")
    assert (ledger(scene, "dtn1")["volumes"], ledger(scene, "dtn2")["exports"]) == ([], [])
    assert_nothing_left(scene, f"/var/lib/dtn-agent/volumes/{SITE}")


def test_what_was_being_made_is_made_after_kills_at_every_step(volumes: Volumes) -> None:
    scene = volumes.scene
    volumes.declare("rw", "tcp")
    crash(scene, "dtn2", seen("exports", filled=True))
    crash(scene, "dtn1", seen("volumes", filled=True))
    crash(scene, "dtn1", f"grep -q '{MOUNTED}' /var/lib/dtn-agent/ledger.json")
    scene.converge()
    assert scene.inside("dtn1", "cat /tcp/file") == "before\n"


def test_local_disk_and_both_transports_are_measured_by_one_command(volumes: Volumes) -> None:
    """Each on a drive of its own of the same make: dtn1's, and dtn2's two."""
    scene = volumes.scene
    compared_drives(volumes)
    arguments = ("--rounds", "1", "--duration", "1s", "--size", "16MiB", "--block", "1MiB", "--jobs", "1", "-o", "json")
    document = scene.run("bench", "storage", "run", *arguments, seconds=600).expect(0).json
    assert {row["volume"]: row["source"] for row in document["rows"]} == {
        "/local": "/srv/local",
        "/tcp": "nvme:tcp, over TCP from dtn2",
        "/rdma": "nvme:rdma, over RDMA from dtn2",
    }
    assert all(row["rate"]["median"] > 0 for row in document["rows"])


def compared_drives(volumes: Volumes) -> None:
    """A session with a local drive and the same over each transport: another disk takes the file's place."""
    scene = volumes.scene
    scene.on("dtn1", f"mkdir -p /srv/local; mountpoint -q /srv/local || (mkfs.ext4 -qF {LOCAL}; mount {LOCAL} /srv/local)")
    scene.endpoint("dtn1", interfaces={NETWORK: NEAR_NIC}, allow={**ALLOW, "mounts": ["/usr", "/srv/local"]})
    volumes.declare()
    target = {"endpoint": "dtn2", "network": NETWORK, "device": OTHER_DRIVE, "port": 4421}
    scene.write("volumes/rdma", {"target": target, "transport": "rdma", "filesystem": "ext4", "format": "if-empty", "queues": 1})
    mounts = [{"source": f"nvme:{kind}", "target": f"/{kind}", "mode": "rw"} for kind in BOTH_KINDS]
    scene.profile(data_nets=[], volumes=["/usr:/usr:ro", "/srv/local:/local", *mounts])
    scene.converge()
