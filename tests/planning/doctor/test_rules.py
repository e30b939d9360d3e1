"""Where rules look, and where they look away: the cases between a planted fault and a host in order."""

from __future__ import annotations

import pytest
from dtn_agent.probe.interfaces import COUNTERS

from dtnctl.planning.doctor import examine
from dtnctl.planning.doctor.queues import LOSSES
from tests.planning.building import NOW
from tests.planning.doctor.faults import cpus, declared, deep, facts, nic, peer, remove, system, table
from tests.planning.doctor.hosts import host, item, well_tuned
from tests.planning.doctor.scene import Scene, lines, only


def test_examine_needs_no_snapshot() -> None:
    scene = Scene()
    seen = scene.snapshot().endpoints["a"]
    assert seen.host is not None
    assert {finding.severity for finding in examine(scene.site, "a", seen, seen.host, now=NOW)} == {"ok"}


def test_findings_are_worst_first_and_then_in_the_catalogues_order() -> None:
    scene = Scene()
    facts(scene)["sysctls"] |= {"net.ipv4.tcp_sack": "0", "net.core.rmem_max": "1", "net.ipv4.tcp_no_metrics_save": "0"}
    nic("ens1f0", duplex="half")(scene)
    assert lines(scene.faults()) == [
        "error net.rmem_max",
        "error nic.duplex ens1f0",
        "warning net.tcp_sack",
        "info net.tcp_no_metrics_save",
    ]


def test_other_nics_and_disks_of_the_host_are_nobodys_business() -> None:
    subjects = {finding.subject for finding in Scene().examine().findings}
    assert not subjects & {"eno1", "sda", "/"}


def test_expired_session_asks_for_nothing() -> None:
    scene = Scene()
    scene.files["sessions/s"] += "expires: 2026-01-01T00:00:00Z\n"
    assert not [item for item in scene.examine().findings if item.check.startswith(("disk.", "container.", "volume."))]


def test_buffers_follow_the_fastest_data_nic() -> None:
    scene = Scene()
    for name in ("ens1f0", "ens1f0v0"):
        nic(name, speed=10_000)(scene)
        peer(name, speed=10_000)(scene)
    facts(scene)["sysctls"]["net.core.rmem_max"] = "67108864"
    assert lines(scene.faults()) == ["error net.rmem_max"]
    assert only(scene, "net.rmem_max")[0].expected == f"net.core.rmem_max at least {96 * 2**20}"
    assert only(scene, "net.optmem_max") == []


def test_dirty_bytes_count_before_dirty_ratio() -> None:
    scene = Scene()
    facts(scene)["sysctls"] |= {"vm.dirty_background_bytes": "1073741824", "vm.dirty_background_ratio": "0"}
    assert [(item.severity, item.actual) for item in only(scene, "host.dirty_background")] == [("ok", "1073741824 bytes")]


RESERVED = "net.ipv4.ip_local_reserved_ports"


def test_data_ports_that_outgoing_connections_can_take_are_to_be_reserved_beside_those_that_are() -> None:
    scene = Scene()
    del scene.files["transfers/t"]
    scene.files["profiles/p"] = "data_port_range: [50100, 50199]\n"
    facts(scene)["sysctls"][RESERVED] = "8080,50100-50109"
    (finding,) = only(scene, "host.reserved_ports")
    assert finding.severity == "warning"
    assert finding.expected == f"services' ports 30000-30200,50100-50199 outside 32768-60999, or in {RESERVED}"
    assert finding.actual == "50110-50199 can be taken by an outgoing connection"
    assert finding.fix == f'tuning: {{sysctls: {{{RESERVED}: "8080,50100-50199"}}}}'
    assert finding.place == "state/profiles/p.yaml:1"


def test_ports_that_are_reserved_are_right() -> None:
    scene = Scene()
    del scene.files["transfers/t"]
    scene.files["profiles/p"] = "data_port_range: [50100, 50199]\n"
    facts(scene)["sysctls"][RESERVED] = "50100-50199"
    (finding,) = only(scene, "host.reserved_ports")
    assert (finding.severity, finding.actual) == ("ok", "no such port can be taken")


def test_ports_of_addresses_of_their_own_are_not_the_hosts() -> None:
    scene = Scene()
    del scene.files["transfers/t"]
    scene.files["profiles/p"] = "data_nets: [data]\nmgmt_net: null\ndata_port_range: [50100, 50199]\n"
    assert only(scene, "host.reserved_ports") == []


@pytest.mark.parametrize("written", ["", "32768", "many few"])
def test_without_the_kernels_own_range_nothing_is_said_of_ports(written: str) -> None:
    scene = Scene()
    facts(scene)["sysctls"]["net.ipv4.ip_local_port_range"] = written
    assert [finding.severity for finding in only(scene, "host.reserved_ports")] == ["unknown"]


# --- NICs ---------------------------------------------------------------------------------------------------


def test_missing_interface_suggests_the_nearest() -> None:
    scene = Scene()
    declared("endpoints/a", "child: ens1f0v0", "child: ens1f0v1")(scene)
    (finding,) = scene.faults()
    assert (finding.check, finding.fix) == ("nic.present", "`interfaces:` with `ens1f0v0`")


def test_interface_that_is_down_is_told_from_one_without_a_carrier() -> None:
    scene = Scene()
    nic("ens2f0", is_up=False)(scene)
    nic("ens2f1", carrier=False)(scene)
    assert [(item.subject, item.actual) for item in scene.faults()] == [("ens2f0", "down"), ("ens2f1", "no carrier")]


def test_pf_that_only_virtual_functions_use_needs_no_queues_of_its_own() -> None:
    scene = Scene()
    declared("endpoints/a", "data: ens1f0, virtual: ens1f0, child: ens1f0v0", "virtual: ens1f0")(scene)
    declared("profiles/p", "data_nets: [data]", "mgmt_net: host")(scene)
    nic("ens1f0", qdiscs=[{"parent": "root", "kind": "pfifo_fast", "handle": "0:"}], tx_queue_len=1, irqs=[{"number": 1, "cpus": "0"}])(
        scene
    )
    assert lines(scene.faults()) == []
    assert [item.subject for item in only(scene, "nic.qdisc")] == ["ens2f0", "ens2f1"]


def test_declared_mtu_is_asked_of_everything_below() -> None:
    scene = Scene()
    scene.files["networks/wan"] += "mtu: 9600\n"
    assert lines(scene.faults()) == [f"error nic.mtu {name}" for name in ("bond0", "bond0.222", "ens2f0", "ens2f1")]
    assert "tuning: {interfaces: {ens2f0: {mtu: 9600}}}" in {item.fix for item in scene.faults()}


def test_vlan_whose_interface_is_not_made_yet_is_judged_by_its_parent() -> None:
    scene = Scene()
    remove("bond0.222")(scene)
    assert lines(scene.faults()) == []
    assert "bond0.222" not in {item.subject for item in scene.examine().findings}


def test_paced_nic_may_feed_a_slower_one() -> None:
    scene = Scene()
    for name in ("ens1f0", "ens1f0v0"):
        peer(name, speed=40_000)(scene)
        nic(name, qdiscs=[{"parent": "root", "kind": "fq", "handle": "1:", "options": "maxrate 20Gbit"}])(scene)
    assert lines(scene.faults()) == []
    nic("ens1f0", qdiscs=[{"parent": "root", "kind": "fq", "handle": "1:", "options": "maxrate 50Gbit"}])(scene)
    assert lines(scene.faults()) == ["info nic.slower_peer ens1f0"]
    assert scene.faults()[0].fix == "tuning: {interfaces: {ens1f0: {qdisc: fq, pacing: 40000mbit}}}"


def test_peer_of_unknown_speed_is_not_slower() -> None:
    scene = Scene()
    for name in ("ens1f0", "ens1f0v0"):
        peer(name, speed=None)(scene)
    assert {item.severity for item in only(scene, "nic.slower_peer")} == {"unknown", "ok"}


def test_send_queue_is_asked_of_each_nic_by_its_own_speed() -> None:
    scene = Scene()
    nic("ens2f0", tx_queue_len=12_000)(scene)
    nic("ens1f0", tx_queue_len=12_000)(scene)
    assert lines(scene.faults()) == ["info nic.tx_queue_len ens1f0"]


def test_two_threads_of_a_core_need_one_channel() -> None:
    scene = Scene()
    cpus(smt=True)(scene)
    deep("interfaces", "ens1f0", "channels", combined=16)(scene)
    assert lines(scene.faults()) == ["info cpu.smt"]


def test_host_of_one_node_has_all_its_cores_for_every_nic() -> None:
    scene = Scene()
    cpus(numa=[{"node": 0, "cpus": "0-63"}])(scene)
    nic("ens1f0", local_cpus="")(scene)
    assert [item.actual for item in scene.faults()] == ["32"]
    assert [item.expected for item in scene.faults()] == ["at least 63 combined"]


def test_offloads_that_drivers_have_under_another_name_count() -> None:
    scene = Scene()
    features = ["rx-gro-hw", "rx-checksum", "tx-checksum-ipv4", "tx-generic-segmentation", "tx-tcp-segmentation"]
    nic("ens1f0", features=features)(scene)
    assert lines(scene.faults()) == []


def test_damage_of_a_long_life_is_no_fault() -> None:
    scene = Scene()
    system(uptime=400 * 86400.0)(scene)
    deep("interfaces", "ens1f0", "counters", rx_crc_errors=90_000)(scene)
    assert lines(scene.faults()) == []


MOVED = {"rx_bytes", "tx_bytes"}  # what the live view makes rates of; no loss


def test_every_counter_of_losses_that_the_agent_reads_is_told_and_no_other_one_is_judged() -> None:
    """rx_frame_errors, rx_length_errors and tx_fifo_errors were judged and never read, rx_dropped and tx_dropped the other way round."""
    told = [name for losses in LOSSES for name in (*losses.names, *losses.beside)]
    assert sorted(told) == sorted(set(COUNTERS) - MOVED)


def test_damage_is_told_with_the_drivers_sum_which_is_not_judged() -> None:
    scene = Scene()
    deep("interfaces", "ens1f0", "counters", rx_crc_errors=0, rx_errors=90_000)(scene)
    assert lines(scene.faults()) == []
    deep("interfaces", "ens1f0", "counters", rx_length_errors=5000)(scene)
    (finding,) = scene.faults()
    assert (finding.check, finding.actual) == ("nic.errors", "rx_length_errors 5000, rx_errors 90000")


def test_packets_stay_as_they_are_where_the_driver_takes_no_larger_ones_and_on_slower_nics() -> None:
    scene = Scene()
    deep("interfaces", "ens1f0", "offload_sizes", gso=65536, tso=65536)(scene)
    assert {item.subject for item in only(scene, "nic.big_tcp")} == {"ens1f0v0"}


def test_kernel_without_sizes_for_ipv4_is_judged_by_those_that_it_has() -> None:
    scene = Scene()
    deep("interfaces", "ens1f0", "offload_sizes", gso=65536, gro=65536, gso_ipv4=None, gro_ipv4=None, tso=131072)(scene)
    (finding,) = scene.faults()
    assert (finding.actual, finding.fix) == ("gso 65536, gro 65536", "ip link set ens1f0 gso_max_size 131072 gro_max_size 131072")


def test_interrupts_that_several_cpus_serve_are_not_counted() -> None:
    scene = Scene()
    nic("ens1f0", irqs=[{"number": 1, "cpus": "32-63"}, {"number": 2, "cpus": "32-63"}])(scene)
    scene.spec["cpu_set"] = ""
    assert [item.severity for item in only(scene, "nic.irq_spread") if item.subject == "ens1f0"] == ["unknown"]


def test_packets_may_be_steered_to_cpus_of_the_nics_node() -> None:
    scene = Scene()
    nic("ens1f0", rps=["32-39", ""])(scene)
    assert lines(scene.faults()) == []
    assert [item.actual for item in only(scene, "nic.rps") if item.subject == "ens1f0"] == ["on CPUs 32-39"]


def test_more_interrupts_than_cpus_share_them() -> None:
    scene = Scene()
    scene.a = well_tuned()
    nic("ens2f0", local_cpus="0-1", irqs=[{"number": n, "cpus": str(n % 2)} for n in range(8)])(scene)
    assert lines(scene.faults()) == []


# --- virtual functions --------------------------------------------------------------------------------------


def test_ipvlan_on_a_vf_needs_no_trust() -> None:
    scene = Scene()
    declared("networks/child", "macvlan", "ipvlan")(scene)
    table(trust=False, spoofchk=True)(scene)
    assert lines(scene.faults()) == []


def test_vf_of_a_pf_that_is_elsewhere_is_not_known() -> None:
    scene = Scene()
    remove("ens1f0")(scene)
    declared("endpoints/a", "data: ens1f0, virtual: ens1f0", "data: ens1f0v0")(scene)
    scene.spec["cpu_set"] = "32-39"
    assert {item.check: item.severity for item in scene.examine().findings if item.check.startswith("vf.")} == dict.fromkeys(
        ("vf.trust", "vf.spoofchk", "vf.link_state"), "unknown"
    )


def test_short_packets_are_right_where_a_port_can_no_longer_ones() -> None:
    scene = Scene()
    deep("interfaces", "ens1f0", "pcie", payload=128, payload_max=128)(scene)
    assert lines(scene.faults()) == []


def test_other_virtual_functions_of_the_pf_are_told_apart() -> None:
    scene = Scene()
    vfs = item(scene.a or {}, "interfaces", "ens1f0")["sriov"]["vfs"]
    vfs.insert(0, {**vfs[0], "index": 1, "pci": "0000:41:00.3", "trust": False, "spoofchk": True})
    assert lines(scene.faults()) == []


def test_bond_of_two_virtual_functions_stands_on_one_pf() -> None:
    scene = Scene()
    facts(scene)["interfaces"].append({**item(scene.a or {}, "interfaces", "ens1f0v0"), "name": "ens1f0v1", "pci": "0000:41:00.3"})
    for name in ("ens1f0v0", "ens1f0v1"):
        nic(name, master="bond1")(scene)
    facts(scene)["interfaces"].append({**item(scene.a or {}, "interfaces", "bond0"), "name": "bond1"})
    declared("endpoints/a", "child: ens1f0v0", "child: bond1")(scene)
    assert lines(scene.faults()) == []
    assert [entry.subject for entry in only(scene, "nic.pcie_goodput")] == ["ens1f0", "ens2f0", "ens2f1"]


def test_network_without_its_interface_has_no_pf_to_judge() -> None:
    scene = Scene()
    declared("endpoints/a", "virtual: ens1f0", "virtual: ens9")(scene)
    assert lines(scene.faults()) == ["error nic.present ens9"]


# --- disks --------------------------------------------------------------------------------------------------


def test_volume_on_the_systems_disk_is_judged_there() -> None:
    scene = Scene()
    declared("profiles/p", "/nvme/data:/data", "/srv:/data")(scene)
    assert lines(scene.faults()) == ["info disk.read_ahead sda", "info disk.filesystem /", "info disk.atime /"]


def test_innermost_mount_counts() -> None:
    scene = Scene()
    declared("profiles/p", "/nvme/data:/data", "/nvmex/data:/data")(scene)
    assert {item.subject for item in only(scene, "disk.filesystem")} == {"/"}


def test_one_drive_alone_is_one_drive() -> None:
    scene = Scene()
    blocks = facts(scene)["block_devices"]
    blocks[:] = [entry for entry in blocks if entry["name"] == "nvme0n1"]
    assert [entry.actual for entry in only(scene, "disk.rate")] == ["114.4 Gb/s by 1 drive"]


def test_read_only_mount_writes_no_access_times() -> None:
    scene = Scene()
    for name in ("md0", "nvme0n1", "nvme1n1"):
        item(scene.a or {}, "block_devices", name)["mounts"][0]["options"] = ["ro", "relatime"]
    assert lines(scene.faults()) == []


# --- policy -------------------------------------------------------------------------------------------------


def test_site_leaves_checks_out() -> None:
    scene = Scene()
    scene.files["site"] += "doctor: {ignore: [cpu.smt, net.tcp_sack]}\n"
    cpus(smt=True)(scene)
    examination = scene.examine()
    assert lines(scene.faults()) == []
    assert examination.ignored == 2
    assert not {"cpu.smt", "net.tcp_sack"} & {item.check for item in examination.findings}


def test_site_takes_checks_more_or_less_seriously() -> None:
    scene = Scene()
    scene.files["site"] += "doctor: {severities: {cpu.smt: error, host.clock: info, cpu.turbo: error}}\n"
    cpus(smt=True)(scene)
    system(clock_synchronized=False)(scene)
    assert lines(scene.faults()) == ["error cpu.smt", "info host.clock"]
    assert [item.severity for item in only(scene, "cpu.turbo")] == ["ok"]


@pytest.mark.parametrize("text", ["{ignore: [cpu.smmt]}", "{severities: {cpu.smmt: info}}"])
def test_unknown_check_is_refused_with_the_nearest_name(text: str) -> None:
    scene = Scene()
    scene.files["site"] += f"doctor: {text}\n"
    with pytest.raises(Exception, match=r"there is no check `cpu.smmt`; try `cpu.smt`"):
        _ = scene.site


def test_hosts_data_is_what_the_protocol_says() -> None:
    """A misspelled key in the tests' hosts would be ignored by lenient reading, and the tests with it."""
    assert set(well_tuned()["facts"]) <= set(type(host(well_tuned()).facts).model_fields)
    for kind in ("interfaces", "block_devices", "rdma"):
        for entry, read in zip(well_tuned()["facts"][kind], getattr(host(well_tuned()).facts, kind), strict=True):
            assert set(entry) <= set(type(read).model_fields)
