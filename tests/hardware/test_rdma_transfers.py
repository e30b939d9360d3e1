"""Transfers by RDMA between two services on the host's network, where rxe carries data (test_rdma.py has why)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from lab.hardware import NEAR_NIC
from lab.hardware.engine_images import TOOLS_USER
from tests.hardware.program_image import FORGET_RECORDS, make_image
from tests.hardware.scene import BOTH, NETWORK, SITE, Scene
from tests.shell.transcripts import blocks
from tests.site_folder import PROGRAM

ADDRESSES = {"dtn1": "10.41.0.1", "dtn2": "10.41.0.2"}
MOUNTS = ["/usr", "/etc/libibverbs.d", "/srv/rdma", "/srv/small"]
VOLUMES = ["/usr:/usr:ro", "/etc/libibverbs.d:/etc/libibverbs.d:ro", "/srv/rdma:/data", "/srv/small:/small"]
SMALL = 4 * 1024**2  # bytes of the file system at /small
PART = ".dtnctl-rcopy-"
FOLDERS = f"mkdir -p /srv/rdma /srv/small; chown 1000:1000 /srv/rdma; mount -t tmpfs -o size={SMALL},uid=1000,mode=755 small /srv/small"
AWAY = "umount /srv/small; rm -rf /srv/rdma /srv/small"


@pytest.fixture(scope="module")
def services(scene: Scene) -> Iterator[Scene]:
    """A session on the host network of both guests with the verbs device of the data NIC, a folder at /data and little room at /small."""
    for name in BOTH:
        address = f"ip link set {NEAR_NIC} up; ip address replace {ADDRESSES[name]}/24 dev {NEAR_NIC}"
        device = f"rdma link show | grep -q rxe0 || rdma link add rxe0 type rxe netdev {NEAR_NIC}"
        scene.on(name, f"{address}; modprobe rdma_rxe; modprobe rdma_ucm; {device}; {FOLDERS}")
        allow = {"mounts": MOUNTS, "devices": ["*"], "capabilities": ["*"]}
        scene.endpoint(name, interfaces={NETWORK: NEAR_NIC}, allow=allow, host=ADDRESSES[name])
    scene.write(f"networks/{NETWORK}", {"driver": "macvlan", "subnet": "10.41.0.0/24"})
    fields: dict[str, Any] = {"devices": ["rdma_cm", "uverbs"], "volumes": VOLUMES, "data_port_range": [50100, 50103], "user": TOOLS_USER}
    scene.profile(mgmt_net="host", data_nets=[], ctrl_port_range=[30001, 30009], **fields)
    scene.session()
    scene.on_both(make_image("measure:1", ["ib_write_bw", "rdma"]), seconds=120)  # a measurement has no volumes
    scene.profile(
        "bare",
        image="measure:1",
        mgmt_net="host",
        data_nets=[],
        ctrl_port_range=[30011, 30019],
        **{**fields, "volumes": [], "data_port_range": [50104, 50107]},
    )
    scene.session("measure", profile="bare")
    scene.converge()
    yield scene
    for file in (scene.root / "state" / "transfers").glob("*.yaml"):
        file.unlink()
    scene.on_both(f"rdma link delete rxe0; ip address flush dev {NEAR_NIC}; ip link set {NEAR_NIC} down; {AWAY}")
    scene.on_both(f"{FORGET_RECORDS}; docker rmi -f measure:1")


@pytest.fixture(autouse=True)
def declared(services: Scene) -> Iterator[None]:
    """No transfer of a test is declared in the next one; what it left behind is a failure of its own."""
    yield
    for file in (services.root / "state" / "transfers").glob("*.yaml"):
        file.unlink()
    left = services.on_both(f"docker ps -a --format '{{{{.Names}}}}' | grep -E '{SITE}\\..*\\.g[0-9]' || true; find /srv -name '{PART}*'")
    assert set(left.values()) == {""}, left


def transfer(scene: Scene, name: str, **fields: Any) -> None:
    scene.write(f"transfers/{name}", {"from": f"dtn1:/data/{name}", "to": f"dtn2:/data/{name}", "tool": "rdma", "session": "run", **fields})


def shown(scene: Scene, name: str) -> dict[str, Any]:
    found: dict[str, Any] = scene.run("transfers", "show", name, "-o", "json").expect(0).json["transfer"]
    return found


def random_file(scene: Scene, name: str, megabytes: int) -> None:
    scene.on("dtn1", f"head -c {megabytes}M /dev/urandom > /srv/rdma/{name}; chown 1000:1000 /srv/rdma/{name}")


def test_a_file_arrives_and_memory_is_measured(services: Scene) -> None:
    random_file(services, "file", 4)
    transfer(services, "file", to="dtn2:/data/new/it is")
    transfer(services, "memory", **{"from": "dtn1", "to": "dtn2", "tool": "rdma_bw", "session": "measure", "options": {"seconds": "3s"}})
    ran = services.apply().expect(0)
    copy, measured = shown(services, "file"), shown(services, "memory")
    assert (copy["state"], copy["bytes"]) == ("succeeded", 4 * 1024**2), ran.out + ran.err
    assert copy["evidence"] == "md5 of 1 file equal at both ends"
    owner = services.on("dtn2", "stat -c %u '/srv/rdma/new/it is'; md5sum < '/srv/rdma/new/it is'").split()
    assert owner == ["1000", *services.on("dtn1", "md5sum < /srv/rdma/file").split()]
    assert measured["state"] == "succeeded"
    assert measured["bytes"] > 0 < measured["bytes_per_second"]
    services.assert_nothing_to_do()


def test_what_cannot_be_copied_fails_with_its_cause(services: Scene) -> None:
    random_file(services, "full", 8)
    services.on("dtn1", ": > /srv/rdma/hollow")
    transfer(services, "missing")
    transfer(services, "hollow")
    transfer(services, "full", to="dtn2:/small/full")
    ran = services.apply().expect(9)
    assert "/data/missing does not exist on dtn1" in ran.out + ran.err
    assert "/data/hollow on dtn1 is empty" in ran.out + ran.err
    found = shown(services, "full")
    assert (found["state"], found["cause"].partition(" (")[0]) == ("failed", "the disk at the destination is full")
    assert services.on("dtn2", "ls -A /srv/small") == ""


def test_a_server_that_is_killed_in_the_middle_leaves_what_was_there(services: Scene) -> None:
    random_file(services, "long", 96)
    services.on("dtn2", "echo older > /srv/rdma/long; chown 1000:1000 /srv/rdma/long")
    transfer(services, "long")
    kill = f"until ls /srv/rdma/{PART}* 2>/dev/null; do sleep 0.2; done; docker kill {SITE}.long.g1a1.server"
    killing = services.guests.remote("dtn2").start(kill, seconds=120)
    services.apply().expect(9)
    killing.communicate()
    found = shown(services, "long")
    assert (found["state"], found["cause"].partition(" (")[0]) == ("failed", "the connection ended: the server was killed")
    assert services.on("dtn2", "cat /srv/rdma/long") == "older\n"


def test_packets_that_are_dropped_end_at_the_deadline(services: Scene) -> None:
    random_file(services, "dropped", 1)
    transfer(services, "dropped", deadline="20s")
    services.on("dtn2", "iptables -I INPUT -p udp --dport 4791 -j DROP")
    try:
        services.apply().expect(9)
    finally:
        services.on("dtn2", "iptables -D INPUT -p udp --dport 4791 -j DROP")
    assert shown(services, "dropped")["cause"].startswith("not finished within its deadline of 20 s")


def test_a_byte_that_changes_after_the_copy_is_found(services: Scene) -> None:
    random_file(services, "flip", 1)
    transfer(services, "flip")
    services.apply("--no-wait").expect(0)
    services.on("dtn1", f"docker wait {SITE}.flip.g1a1")
    arrived = "until [ -e /srv/rdma/flip ]; do sleep 0.2; done"
    services.on("dtn2", f"{arrived}; printf flipped | dd of=/srv/rdma/flip bs=1 seek=500000 conv=notrunc")
    services.apply().expect(9)
    assert shown(services, "flip")["cause"].startswith("the checksums of the file differ")


def test_the_last_transfer_of_the_talk_is_typed_into_the_shell(services: Scene) -> None:
    """`session stop` first: of two started sessions across both hosts none would be the suitable one."""
    random_file(services, "1T", 4)
    printed = shell(
        services,
        "session stop measure",
        "cd active",
        "ls",
        "transfer dtn1:/data/1T dtn2:/data/1T_2 rdma",
        "apply --yes",
        "show transfers",
        "show transfers log 1",
        "show transfers log 1 src",
    )
    assert re.search(r"^2: STARTED +\(\['dtn1', 'dtn2'\], tools:1\)  run$", printed["ls"], re.MULTILINE), printed["ls"]
    declared = printed["transfer dtn1:/data/1T dtn2:/data/1T_2 rdma"]
    assert "Found suitable existing session 2\n" in declared
    assert "for dtn1 -> dtn2 using transfer type rdma" in declared
    assert printed["show transfers"] == "1:      (dtn1 -> dtn2 [rdma])  1T, succeeded\n"
    assert re.search(r"4194304 bytes in [\d.]+ seconds = [\d.]+ Gb/sec", printed["show transfers log 1"])
    assert services.on("dtn2", "md5sum < /srv/rdma/1T_2") == services.on("dtn1", "md5sum < /srv/rdma/1T")


def shell(scene: Scene, *lines: str) -> dict[str, str]:
    """What each line of a script shows; the shell ends at the first that fails."""
    environment = {**scene.environment, "XDG_STATE_HOME": str(scene.root / "home")}
    script = "".join(f"{line}\n" for line in lines)
    ran = subprocess.run(
        [*PROGRAM, "shell", "--echo"], cwd=scene.root, env=environment, input=script, text=True, capture_output=True, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    found = dict(blocks(ran.stdout))
    assert tuple(found) == lines
    return found
