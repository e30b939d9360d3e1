"""Where rules about services look, and where they look away."""

from __future__ import annotations

from tests.planning.doctor.faults import declared, facts, nic, peer, system
from tests.planning.doctor.scene import Scene, lines, only

ON_THE_HOST = """\
volumes: ["/nvme/data:/data", "/nvme/more:/more", cache:/cache, {target: /tmp}]
devices: [rdma_cm]
limits: {memlock: -1, nofile: 131072}
cpu_set: "32-39"
memory_nodes: "1"
memory: 8GiB
mgmt_net: host
"""


def on_the_host() -> Scene:
    scene = Scene()
    scene.files["profiles/p"] = ON_THE_HOST
    for name in ("networks/wan", "networks/child"):
        del scene.files[name]
    for name in ("endpoints/a", "endpoints/b"):
        scene.files[name] = scene.files[name].replace(", child: ens1f0v0, wan: bond0", "")
    return scene


def test_service_on_the_hosts_network_has_the_hosts_settings() -> None:
    scene = on_the_host()
    assert lines(scene.faults()) == []
    checks = {item.check for item in scene.examine().findings}
    assert not checks & {"container.tcp_rmem", "container.mtu", "container.bridge", "rdma.netns"}
    assert {"container.memory", "container.cpus", "rdma.device"} <= checks


def test_service_on_the_hosts_network_fills_its_memory_with_the_hosts_buffers() -> None:
    scene = on_the_host()
    scene.spec["memory"] = 2**30
    assert lines(scene.faults()) == ["warning container.memory lab.s"]


def test_rdma_in_one_namespace_is_no_fault_on_the_hosts_network() -> None:
    scene = on_the_host()
    system(rdma_netns="exclusive")(scene)
    assert lines(scene.faults()) == []


def test_ipc_lock_is_as_good_as_unlimited_memlock() -> None:
    scene = Scene(spec={"ulimits": (), "cap_add": ("IPC_LOCK",)})
    assert [item.actual for item in only(scene, "container.memlock")] == ["IPC_LOCK"]
    assert lines(scene.faults()) == []


def test_service_without_a_data_nic_is_pinned_anywhere() -> None:
    scene = Scene()
    declared("profiles/p", "data_nets: [data]", "data_nets: []")(scene)
    scene.spec["cpu_set"] = "0-7"
    assert not [item for item in scene.examine().findings if item.check in ("container.cpus", "container.pinned")]
    assert not [item for item in scene.examine().findings if item.check in ("disk.node", "disk.rate", "rdma.device")]


def test_bridge_is_a_note_up_to_10g() -> None:
    scene = Scene()
    declared("profiles/p", "data_nets: [data]", "data_nets: []")(scene)
    declared("endpoints/a", "data: ens1f0, virtual: ens1f0, child: ens1f0v0, wan: bond0", "wan: bond0")(scene)
    for name in ("ens2f0", "ens2f1"):
        nic(name, speed=10_000)(scene)
        peer(name, speed=10_000)(scene)
    assert lines(scene.faults()) == ["info container.bridge lab.s"]
    assert scene.faults()[0].actual == "data over bridge bridge"


def test_service_that_moves_no_data_may_be_on_a_bridge() -> None:
    scene = Scene()
    declared("profiles/p", "data_nets: [data]", "data_nets: []")(scene)
    del scene.files["transfers/t"]
    assert not only(scene, "container.bridge")
    assert not only(scene, "container.memory")


def test_unlimited_memory_and_files_are_enough() -> None:
    scene = Scene()
    scene.spec |= {"memory": 0}
    scene.net = lambda net: net["limits"].update({"nofile": -1})
    declared("profiles/p", "nofile: 131072", "nproc: 1000")(scene)
    assert lines(scene.faults()) == []
    assert [item.actual for item in only(scene, "container.nofile")] == ["unlimited"]


def test_transfer_to_this_endpoint_is_judged_by_where_it_writes() -> None:
    scene = Scene()
    declared("transfers/t", "from: a:/data/x\nto: b:/data/x", "from: b:/data/x\nto: a:/tmp/x")(scene)
    (finding,) = scene.faults()
    assert (finding.check, finding.subject, finding.place) == ("volume.path", "/tmp/x", "state/transfers/t.yaml:2")
    assert finding.expected == "below /data"


def test_service_with_nothing_but_a_tmpfs_is_shown_that_it_needs_a_volume() -> None:
    scene = Scene()
    declared("profiles/p", '"/nvme/data:/data", {target: /tmp}', "{target: /data}")(scene)
    (finding,) = scene.faults()
    assert (finding.check, finding.expected, finding.actual) == ("volume.path", "below a volume that is no tmpfs", "the tmpfs /data")


def test_rdma_port_of_infiniband_needs_no_roce_gid() -> None:
    scene = Scene()
    facts(scene)["rdma"][0]["ports"][0] |= {"link_layer": "InfiniBand", "gids": [{"index": 0, "gid": "fe80::1", "type": "IB"}]}
    assert lines(scene.faults()) == []


def test_rdma_device_is_found_by_its_function_too() -> None:
    scene = Scene()
    facts(scene)["rdma"].insert(0, {"name": "rxe0", "netdev": "eno1"})
    facts(scene)["rdma"][1]["netdev"] = ""
    assert lines(scene.faults()) == []


def test_two_services_on_one_nic_have_one_rdma_port() -> None:
    scene = Scene()
    scene.files["sessions/s2"] = "endpoints: [a, b]\nimage: dtn:1\nprofile: p\n"
    declared("transfers/t", "tool: gridftp", "tool: gridftp\nsession: s")(scene)
    assert len(only(scene, "rdma.port")) == 1
    assert only(scene, "rdma.netns")[0].expected == "shared, since lab.s, lab.s2 have network namespaces of their own"
