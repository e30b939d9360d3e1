"""RoCE between two services. The kernel's rxe carries data in the host's network namespace only, so they are on the host's network.

Tried on kernels 6.1 and 6.12: on an interface that was moved into a container, or on a macvlan, rxe shows an active link and a GID,
and no packet arrives, because its UDP sockets exist in the initial namespace only.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator

import pytest

from lab.hardware import NEAR_NIC
from tests.hardware.scene import BOTH, NETWORK, SITE, Scene

ADDRESSES = {"dtn1": "10.41.0.1", "dtn2": "10.41.0.2"}
LIBRARIES = ["/usr:/usr:ro", "/etc/libibverbs.d:/etc/libibverbs.d:ro"]
WRITE = "ib_write_bw -d {rdma_device} -i {rdma_port} -x {rdma_gid_index} -s 65536 -n 200 --report_gbits"


@pytest.fixture(scope="module")
def services(scene: Scene) -> Iterator[Scene]:
    """A session on the host network of both guests, with the verbs device of the data NIC and nothing else of RDMA."""
    for name in BOTH:
        scene.on(
            name, f"ip link set {NEAR_NIC} up; ip address replace {ADDRESSES[name]}/24 dev {NEAR_NIC}; modprobe rdma_rxe; modprobe rdma_ucm"
        )
        scene.on(name, f"rdma link show | grep -q rxe0 || rdma link add rxe0 type rxe netdev {NEAR_NIC}")
        scene.endpoint(
            name, interfaces={NETWORK: NEAR_NIC}, allow={"mounts": ["/usr", "/etc/libibverbs.d"], "devices": ["*"], "capabilities": ["*"]}
        )
    scene.write(f"networks/{NETWORK}", {"driver": "macvlan", "subnet": "10.41.0.0/24"})
    scene.profile(mgmt_net="host", data_nets=[], devices=["rdma_cm", "uverbs"], volumes=LIBRARIES)
    scene.session()
    scene.converge()
    yield scene
    scene.on_both(f"rdma link delete rxe0; ip address flush dev {NEAR_NIC}; ip link set {NEAR_NIC} down")


def test_service_has_the_verbs_device_of_its_nic_and_what_it_needs(services: Scene) -> None:
    for name in BOTH:
        host = services.container(name)["HostConfig"]
        assert sorted(item["PathOnHost"] for item in host["Devices"]) == ["/dev/infiniband/rdma_cm", "/dev/infiniband/uverbs0"]
        assert [name.removeprefix("CAP_") for name in host["CapAdd"]] == ["IPC_LOCK"]
        assert {"Name": "memlock", "Soft": -1, "Hard": -1} in host["Ulimits"]


def test_rping_goes_from_service_to_service(services: Scene) -> None:
    with_server(services, "rping -s -a 0.0.0.0 -C 5", f"rping -c -a {ADDRESSES['dtn2']} -C 5 -v", "rdma-ping-4")


def test_rdma_writes_go_from_service_to_service(services: Scene) -> None:
    """With the device, the port and the GID index that dtnctl tells of each service."""
    shown = json.loads(services.run("sessions", "show", "run", "-o", "json").expect(0).out)["services"]
    client, server = (WRITE.format(**next(item for item in shown if item["endpoint"] == name)) for name in BOTH)
    out = with_server(services, server, f"{client} {ADDRESSES['dtn2']}", "65536")
    assert re.search(r"^ *65536 +200 +\d", out, re.MULTILINE)


def test_gid_of_a_service_with_an_address_of_its_own_is_told(services: Scene) -> None:
    """Its data does not get out (see above), but the table of GIDs is a real one: the NIC's, with an entry for the service."""
    services.profile("inside", volumes=LIBRARIES, devices=["rdma_cm", "uverbs"])
    services.session("inside", profile="inside")
    services.converge()
    rows = json.loads(services.run("sessions", "show", "inside", "-o", "json").expect(0).out)["services"]
    for row in rows:
        assert (row["rdma_device"], row["rdma_port"]) == ("rxe0", 1)
        gid = services.on(row["endpoint"], f"cat /sys/class/infiniband/rxe0/ports/1/gids/{row['rdma_gid_index']}").strip()
        assert ipaddress.IPv6Address(gid).ipv4_mapped == ipaddress.IPv4Address(row["data_ipv4"])
    services.remove("sessions/inside")
    services.converge()


def with_server(scene: Scene, server: str, client: str, expected: str) -> str:
    """Run the serving side on dtn2 and the asking side on dtn1, in the session's containers; returns what the latter says."""
    inside = f"docker exec {SITE}.run timeout 60"
    serving = scene.guests.remote("dtn2").start(f"{inside} {server}", seconds=80)
    try:
        # a client that is there first is refused at once
        asked = f"for try in $(seq 20); do {inside} {client} && exit 0; sleep 1; done; exit 1"
        out = scene.on("dtn1", asked, seconds=80)
    finally:
        serving.kill()
        log = serving.communicate()[0]
    assert expected in out, f"{out}\n--- the serving side\n{log}"
    return out
