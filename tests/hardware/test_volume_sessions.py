"""Sessions with volumes over NVMe-oF, by dtnctl alone: over TCP and over RDMA, lost and found, through power cuts and kill -9, removed.

dtn2 exports two: its NVMe drive over TCP, a file over RDMA. A session on dtn1 has both. What others made stays as it is. Each test goes on
with what the one before left, because an emulated machine takes half a minute for a session.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dtn_agent.protocol.volumes import DisconnectVolume

from dtnctl.errors import DtnctlError
from lab.hardware import NEAR_NIC
from tests.hardware.crashes import LEDGER, crash_agent
from tests.hardware.scene import BOTH, NETWORK, SITE, Scene
from tests.hardware.volume_hosts import ADDRESSES, NVMET, THEIR_CONNECTION, data_wire, prepare, their_keyed_target
from tests.hardware.volume_site import BOTH_KINDS, DRIVE, FILE, MOUNT_FOLDER, Volumes
from tests.model.test_nvme_keys import key

OTHER_DRIVE, LOCAL = DRIVE.replace("node1", "node0"), DRIVE.replace("dtn2", "dtn1")
ALLOW = {"mounts": ["/usr"], "devices": ["*"], "volumes": ["nvme"], "exports": ["/srv/*", "/dev/disk/by-id/nvme-*"]}
# as far as drives must be empty
EMPTY = f"rm -f {FILE}; for drive in {DRIVE} {OTHER_DRIVE}; do dd if=/dev/zero of=$drive bs=1M count=20 conv=fsync status=none; done"
# Not by the interface: rxe's own queue pair for connections stays in error once the interface was down. Only of TCP: the kernel counts
# tries in place of time, and over RDMA each takes some 80 s while the target's host is silent.
AWAY = f"INPUT -i {NEAR_NIC} -j DROP"
SECOND_HOST = "--hostnqn=nqn.2001-01.com.example:second --hostid=aaaaaaaa-0000-4000-8000-000000000002"
OUR_KEY, NEXT_KEY, TARGETS_KEY = (key(bytes([number]) * 32) for number in (1, 2, 3))
HIDDEN = "for file in $(grep -lF -e {} -e {} {}); do stat -c %a $file; done"
HOLDER = f"cd {MOUNT_FOLDER}/rdma && exec tail -f /dev/null"


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


# --- both in use ----------------------------------------------------------------------------------------------


def test_session_writes_and_reads_volumes_over_tcp_and_over_rdma(volumes: Volumes) -> None:
    scene = volumes.scene
    volumes.declare()
    planned = scene.plan().expect(0).out
    assert "exports" in planned
    assert "writes to the target (push)" in planned
    scene.converge()
    assert {name: item["portal"]["transport"] for name, item in volumes.held().items()} == {"tcp": "tcp", "rdma": "rdma"}
    assert scene.on("dtn1", "cat /run/nvme/registry/nvme*/owner") == "dtnctl\n" * 2
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


def test_killed_agents_find_what_they_have_made(volumes: Volumes) -> None:
    for name in BOTH:
        crash_agent(volumes.scene, name)
    volumes.scene.assert_nothing_to_do()
    assert volumes.read() == "before\nbefore\n"


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
    scene.apply("--max-prune=100").expect(3)
    assert set(volumes.held()) == {"rdma"}
    scene.guests.start("dtn2")
    prepare(scene, "dtn2")
    volumes.wait_for("live")
    scene.converge("--max-prune=100")
    assert volumes.read("rdma") == "before\n"
    assert set(volumes.held("dtn2", "exports")) == {"rdma"}


# --- over RDMA removed, over TCP made and removed, over RDMA made: killed at every step -----------------------


def test_what_is_in_use_is_not_unmounted_and_who_uses_it_is_named(volumes: Volumes) -> None:
    scene = volumes.scene
    scene.remove("sessions/run")
    with scene.guests.remote("dtn1").start(HOLDER, seconds=200) as holding:
        scene.on("dtn1", f"until ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -q {MOUNT_FOLDER}/rdma; do sleep 1; done")
        ran = scene.apply("--max-prune=100").expect(3)
        scene.on("dtn1", "pkill -x tail")
        holding.wait()
    assert "is in use: tail" in ran.out + ran.err
    agent = volumes.agent("dtn1")
    with pytest.raises(DtnctlError, match="unmount it first"):
        agent.perform(DisconnectVolume(site=SITE, volume="rdma"))
    agent.close()
    assert volumes.held()["rdma"]["mount"]["is_mounted"]


def test_what_was_being_removed_over_rdma_is_removed_after_kills_at_every_step(volumes: Volumes) -> None:
    volumes.remove_killed()


@pytest.fixture
def keys(volumes: Volumes) -> Path:
    """Where the state files name keys: `host` and `target`."""
    folder = volumes.scene.root / "keys"
    folder.mkdir(exist_ok=True)
    (folder / "host").write_text(OUR_KEY)
    (folder / "target").write_text(TARGETS_KEY)
    return folder


def test_target_of_others_is_connected_with_the_right_key_only(volumes: Volumes, keys: Path) -> None:
    """dtnctl looks the key up and never sees what the target has: a wrong one leaves no trace, and the right one mounts the volume."""
    scene = volumes.scene
    with their_keyed_target(scene, host=volumes.host("dtn1")["facts"]["nvme"]["host_nqn"], key=OUR_KEY) as external:
        auth = {"host_key": {"secret": f"file:{keys}/host"}}
        scene.write("volumes/keyed", {"target": {"external": external}, "filesystem": "ext4", "queues": 1, "auth": auth})
        volumes.mount("ro", "keyed")
        (keys / "host").write_text(NEXT_KEY)
        ran = scene.apply().expect(3)
        assert "it does not accept this host or its keys" in ran.out + ran.err
        assert NEXT_KEY not in ran.out + ran.err
        volumes.assert_gone()
        (keys / "host").write_text(OUR_KEY)
        scene.converge()
        assert scene.inside("dtn1", "ls /keyed") == "lost+found\n"
        scene.remove("sessions/run")
        scene.converge("--max-prune=100")
    scene.profile()
    scene.remove("volumes/keyed")
    volumes.assert_gone()


def test_what_was_being_made_over_tcp_is_made_after_kills_at_every_step(volumes: Volumes) -> None:
    volumes.declare("rw", "tcp")
    volumes.make_killed()
    assert volumes.read("tcp") == "before\n"


def test_keys_are_sent_to_both_ends_by_reference_and_changed_together(volumes: Volumes, keys: Path) -> None:
    scene = volumes.scene
    references = {"host_key": {"secret": f"file:{keys}/host"}, "controller_key": {"secret": f"file:{keys}/target"}}
    volumes.declare("rw", "tcp", auth=references)
    said = scene.plan().out
    for found in (OUR_KEY, NEXT_KEY):
        (keys / "host").write_text(found)
        said += scene.converge().out
        assert scene.on("dtn2", f"cat {NVMET}/hosts/*/dhchap_*key").split() == [TARGETS_KEY, found]
        assert volumes.read("tcp") == "before\n"
        for name, files in (("dtn1", "/sys/class/nvme/nvme*/dhchap_*secret"), ("dtn2", f"{NVMET}/hosts/*/dhchap_*key")):
            assert scene.on(name, HIDDEN.format(found, TARGETS_KEY, files)).split() == ["600", "600"]
    for secret in (OUR_KEY, NEXT_KEY, TARGETS_KEY):
        assert secret not in said
        scene.on_both(f"! {{ cat {LEDGER}; journalctl --unit dtn-agent.service; }} | grep -F {secret}")


def test_target_that_is_away_is_waited_for_and_one_that_was_given_up_is_drift(volumes: Volumes) -> None:
    """Away for less than `ctrl_loss`, and for more: apply brings it back."""
    scene = volumes.scene
    scene.on("dtn2", f"iptables -I {AWAY}")
    volumes.wait_for("connecting")
    scene.on("dtn2", f"iptables -D {AWAY}")
    volumes.wait_for("live")
    assert volumes.read("tcp") == "before\n"
    volumes.declare("rw", "tcp", ctrl_loss="5s")
    scene.converge()
    scene.on("dtn2", f"iptables -I {AWAY}")
    volumes.wait_for("gone")
    assert "is gone" in scene.plan().out
    scene.on("dtn2", f"iptables -D {AWAY}")
    again = f"until cat {MOUNT_FOLDER}/tcp/file 2>/dev/null; do sleep 1; done"
    assert scene.on("dtn1", again, seconds=180) == "before\n", "the agent mounts it again by itself"
    scene.converge()
    assert volumes.read("tcp") == "before\n"


def test_what_was_being_removed_over_tcp_is_removed_after_kills_at_every_step(volumes: Volumes) -> None:
    volumes.scene.remove("sessions/run")
    volumes.remove_killed()


def test_what_was_being_made_over_rdma_is_made_after_kills_at_every_step(volumes: Volumes) -> None:
    volumes.declare("rw", "rdma")
    volumes.make_killed()
    assert volumes.read("rdma") == "before\n"


# --- measured -------------------------------------------------------------------------------------------------


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
