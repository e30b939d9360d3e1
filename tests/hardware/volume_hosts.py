"""Both guests as hosts of volumes: addresses on the data wire, RDMA devices, and a target and a connection that somebody else made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.hardware import NEAR_NIC
from tests.hardware.scene import Scene

ADDRESSES = {"dtn1": "10.44.0.1", "dtn2": "10.44.0.2"}
FOREIGN = "nqn.2001-01.com.example:theirs"
NVMET = "/sys/kernel/config/nvmet"
THEIR_TARGET = f"""
truncate -s 16M /srv/theirs.img
modprobe -a nvmet nvmet-tcp
mkdir -p {NVMET}/subsystems/{FOREIGN}/namespaces/1 {NVMET}/ports/1
cd {NVMET}/ports/1
[ -e subsystems/{FOREIGN} ] && exit
echo tcp >addr_trtype; echo ipv4 >addr_adrfam; echo {ADDRESSES["dtn2"]} >addr_traddr; echo 4499 >addr_trsvcid
cd {NVMET}/subsystems/{FOREIGN}
echo 1 >attr_allow_any_host; echo /srv/theirs.img >namespaces/1/device_path; echo 1 >namespaces/1/enable
ln -s {NVMET}/subsystems/{FOREIGN} {NVMET}/ports/1/subsystems/
"""
THEIR_HOST = "--hostnqn=nqn.2001-01.com.example:their-host --hostid=aaaaaaaa-0000-4000-8000-000000000001"
THEIR_CONNECTION = f"modprobe nvme-tcp; nvme connect -t tcp -a {ADDRESSES['dtn2']} -s 4499 -n {FOREIGN} {THEIR_HOST}"
KEYED, KEYED_UUID = "nqn.2001-01.com.example:keyed", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
THEIR_KEYED_TARGET = f"""
truncate -s 16M /srv/keyed.img; mkfs.ext4 -qF -b 4096 /srv/keyed.img
mkdir -p {NVMET}/subsystems/{KEYED}/namespaces/1 {NVMET}/hosts/{{host}}
echo {{key}} >{NVMET}/hosts/{{host}}/dhchap_key
cd {NVMET}/subsystems/{KEYED}
echo 0 >attr_allow_any_host; ln -s {NVMET}/hosts/{{host}} allowed_hosts/
echo /srv/keyed.img >namespaces/1/device_path; echo {KEYED_UUID} >namespaces/1/device_uuid; echo 1 >namespaces/1/enable
ln -s {NVMET}/subsystems/{KEYED} {NVMET}/ports/1/subsystems/
"""
NO_KEYED_TARGET = f"""
cd {NVMET}
rm ports/1/subsystems/{KEYED} subsystems/{KEYED}/allowed_hosts/*; rmdir subsystems/{KEYED}/namespaces/1 subsystems/{KEYED} hosts/{{host}}
rm -f /srv/keyed.img
"""
NETWORK = f"ip link set {NEAR_NIC} up; ip address replace {{}}/24 dev {NEAR_NIC}; modprobe -a rdma_rxe nvmet-rdma nvme-rdma"
RXE = f"rdma link show | grep -q rxe0 || rdma link add rxe0 type rxe netdev {NEAR_NIC}"


def prepare(scene: Scene, name: str) -> None:
    """Addresses of the data network and the RDMA device, which a reboot takes; on dtn2 somebody's target, on dtn1 somebody's connection."""
    scene.on(name, NETWORK.format(ADDRESSES[name]))
    scene.on(name, RXE)
    if name == "dtn2":
        scene.on(name, THEIR_TARGET)


def theirs(scene: Scene) -> tuple[str, str]:
    """What others made: the target's part of configfs, and the connection's state."""
    target = scene.on("dtn2", f"cd {NVMET}; grep -r . subsystems/{FOREIGN}/attr_allow_any_host ports/1/addr_t*; ls ports/1/subsystems")
    return target, scene.on("dtn1", f"grep -h {FOREIGN} /sys/class/nvme/*/subsysnqn")


@contextmanager
def data_wire(scene: Scene) -> Iterator[Scene]:
    """Both guests as hosts of volumes, for as long as the block lasts; what others made is as it was when it ends."""
    for name in ("dtn2", "dtn1"):
        prepare(scene, name)
    scene.on("dtn1", f"ping -c 3 -W 5 {ADDRESSES['dtn2']}")
    scene.on("dtn1", THEIR_CONNECTION)
    before = theirs(scene)
    try:
        yield scene
        assert theirs(scene) == before
    finally:
        scene.on("dtn1", f"nvme disconnect -n {FOREIGN}; rdma link delete rxe0 || true")
        scene.on("dtn2", f"rm {NVMET}/ports/1/subsystems/*; rmdir {NVMET}/ports/1; rmdir {NVMET}/subsystems/{FOREIGN}/namespaces/1")
        scene.on("dtn2", f"rmdir {NVMET}/subsystems/{FOREIGN}; rm -f /srv/theirs.img; rdma link delete rxe0 || true")
        scene.on_both(f"ip address flush dev {NEAR_NIC}; ip link set {NEAR_NIC} down")


@contextmanager
def their_keyed_target(scene: Scene, *, host: str, key: str) -> Iterator[dict[str, object]]:
    """A target of somebody else that wants this key of this host, with an empty file system; as state files name it."""
    scene.on("dtn2", THEIR_KEYED_TARGET.format(host=host, key=key))
    try:
        yield {"address": ADDRESSES["dtn2"], "port": 4499, "nqn": KEYED, "uuid": KEYED_UUID}
    finally:
        scene.on("dtn2", NO_KEYED_TARGET.format(host=host))


def assert_nothing_left(scene: Scene, folder: str) -> None:
    """No part of a volume of ours: target, connection, owner, folder of the mount."""
    assert scene.on("dtn2", f"ls {NVMET}/ports").split() == ["1"]
    theirs_too = [KEYED] if KEYED in scene.on("dtn2", f"ls {NVMET}/subsystems") else []
    assert scene.on("dtn2", f"ls {NVMET}/subsystems").split() == [*theirs_too, FOREIGN]
    assert len(scene.on("dtn2", f"ls {NVMET}/hosts").split()) == len(theirs_too)
    assert scene.on("dtn1", f"ls -d {folder} /run/nvme/registry/nvme* 2>/dev/null || true") == ""
    assert scene.on("dtn1", "cat /sys/class/nvme-fabrics/ctl/*/subsysnqn").split() == [FOREIGN]
