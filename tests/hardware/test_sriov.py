"""A session across two hosts, each service with a virtual function of its own: planned, made, kept, repaired, given back.

Every test begins with the session as declared, whatever the one before left.
"""

from __future__ import annotations

import json
import re

import pytest

from lab.hardware import NEAR_NIC
from tests.hardware.scene import BOTH, NETWORK, SITE, Scene, both

VLAN = 222
MTU = 9000
OWN_MAC = "02:00:00:00:ee:01"
ADDRESSES = {"dtn1": "10.40.0.10", "dtn2": "10.40.0.11"}
LEDGER = "/var/lib/dtn-agent/ledger.json"
TABLE = f"ip link show {NEAR_NIC} | grep '^    vf '"


@pytest.fixture(scope="module")
def tables_before(scene: Scene) -> dict[str, str]:
    """The tables of the hosts' virtual functions when there are four that nobody has."""
    scene.sriov(vlan=VLAN, mtu=MTU, trust=False, spoofchk=True)
    scene.profile(near="data_net", cpus=1)
    scene.converge()
    return scene.on_both(TABLE)


@pytest.fixture
def session(scene: Scene, tables_before: dict[str, str]) -> Scene:
    """The session, as declared."""
    scene.session()
    if scene.plan("--detailed-exitcode").code != 0:
        scene.converge()
    return scene


def assert_data_path(scene: Scene) -> None:
    """A packet as large as the network's MTU allows gets from one service to the other, unbroken; the first one may be lost to ARP."""
    size = MTU - 28
    for name, other in zip(BOTH, reversed(BOTH), strict=True):
        scene.inside(name, f"ping -c 5 -i 0.5 -w 20 -M do -s {size} {ADDRESSES[other]} | grep -E ', [1-4]?[0-9]([.][0-9]+)?% packet loss'")


def test_four_virtual_functions_are_made_on_a_nic_of_node_1(tables_before: dict[str, str]) -> None:
    assert {name: table.count("    vf ") for name, table in tables_before.items()} == {"dtn1": 4, "dtn2": 4}


def test_plan_shows_the_function_its_node_and_its_mac_before_anything_is_touched(scene: Scene, tables_before: dict[str, str]) -> None:
    if (scene.root / "state/sessions/run.yaml").exists():
        scene.remove("sessions/run")
        scene.converge()
    scene.session()
    text = scene.plan().expect(0).out
    assert re.search(rf"star222 vf +0000:41:10\.0 \({NEAR_NIC} vf 0, node 1\)", text)
    assert len(set(re.findall(r"02(?::[0-9a-f]{2}){5}", text))) == 2
    assert scene.on_both(TABLE) == tables_before


def test_services_have_what_was_planned_and_reach_each_other_with_jumbo_frames(session: Scene) -> None:
    for name in BOTH:
        link = json.loads(session.inside(name, "ip -j address show dev eth0"))[0]
        planned = session.container(name)["NetworkSettings"]["Networks"][NETWORK]
        assert (link["mtu"], link["address"]) == (MTU, planned["MacAddress"])
        assert ADDRESSES[name] in [item["local"] for item in link["addr_info"]]
        row = re.search(r"vf 0 .*", session.on(name, TABLE))
        assert row is not None
        assert f"{link['address']} brd" in row[0]
        assert f"vlan {VLAN}, spoof checking on" in row[0]
    assert_data_path(session)


def test_services_run_on_a_cpu_and_the_memory_of_their_nics_node(session: Scene) -> None:
    for name in BOTH:
        status = session.inside(name, "cat /proc/self/status")
        assert re.search(r"Cpus_allowed_list:\t[23]\n", status)
        assert "Mems_allowed_list:\t1\n" in status


def test_second_plan_is_empty(session: Scene) -> None:
    session.assert_nothing_to_do()


def test_mac_changed_by_hand_is_found_and_repaired(session: Scene) -> None:
    wanted = session.container("dtn1")["NetworkSettings"]["Networks"][NETWORK]["MacAddress"]
    session.on("dtn1", f"ip link set {NEAR_NIC} vf 0 mac {OWN_MAC}")
    plan = session.plan("--detailed-exitcode")
    assert plan.code == 2
    assert OWN_MAC in plan.out
    assert wanted in plan.out
    session.converge()
    assert f"vf 0     link/ether {wanted} " in session.on("dtn1", TABLE)
    assert_data_path(session)


def test_container_restart_keeps_the_data_path(session: Scene) -> None:
    session.on("dtn1", f"docker restart -t 2 {SITE}.run", seconds=120)
    assert_data_path(session)
    session.assert_nothing_to_do()


def test_killed_process_comes_back_with_its_data_path(session: Scene) -> None:
    """The restart policy starts it again; nobody runs dtnctl."""
    before = session.container("dtn2")["RestartCount"]
    session.on("dtn2", f"kill -9 $(docker inspect -f '{{{{.State.Pid}}}}' {SITE}.run)")
    session.on("dtn2", f"until [ $(docker inspect -f '{{{{.RestartCount}}}}' {SITE}.run) -gt {before} ]; do sleep 1; done", seconds=90)
    session.on("dtn2", f"until docker exec {SITE}.run true; do sleep 1; done", seconds=90)
    assert_data_path(session)


def test_engine_restart_keeps_the_data_path(session: Scene) -> None:
    session.on("dtn1", "systemctl restart docker.service", seconds=240)
    session.on("dtn1", f"until docker exec {SITE}.run true; do sleep 1; done", seconds=120)
    assert_data_path(session)
    session.assert_nothing_to_do()


def test_killed_engine_comes_back_with_the_data_path(session: Scene) -> None:
    """Its containers end without its knowing, and their interfaces come back under whatever name the kernel gives them."""
    started = f"docker inspect -f '{{{{.State.StartedAt}}}}' {SITE}.run"
    before = session.on("dtn1", started).strip()
    session.on("dtn1", "systemctl kill --kill-who=main --signal=KILL docker.service")
    session.on("dtn1", f"until after=$({started}) && [ $after != {before} ] && docker exec {SITE}.run true; do sleep 1; done", seconds=240)
    assert_data_path(session)
    session.assert_nothing_to_do()
    assert len(json.loads(session.on("dtn1", f"cat {LEDGER}"))["endpoints"]) == 1


def test_reboot_of_a_host_keeps_the_data_path(session: Scene) -> None:
    """The agent makes the functions again before the engine starts the container; nobody runs dtnctl."""
    session.guests.reboot("dtn2")
    session.on("dtn2", f"until docker exec {SITE}.run true; do sleep 1; done", seconds=180)
    assert_data_path(session)
    session.assert_nothing_to_do()


def test_exhausted_pool_blocks_and_names_the_holders(session: Scene) -> None:
    for number in range(1, 5):
        session.session(f"more{number}", endpoints=["dtn1"], settings={"near": None, "cpus": None})
    try:
        plan = session.plan().expect(0).out
    finally:
        for number in range(1, 5):
            session.remove(f"sessions/more{number}")
    assert plan.splitlines()[0].endswith("· 1 blocked")
    blocked = plan[plan.index("blocked  session/more") :].split("\n\n")[0]
    assert "by session run" in blocked


def test_removed_session_leaves_the_table_as_it_was(session: Scene, tables_before: dict[str, str]) -> None:
    session.remove("sessions/run")
    session.apply("--max-prune=100").expect(0)
    assert session.on_both(TABLE) == tables_before
    assert all("state DOWN" in text for text in session.on_both(f"ip link show {NEAR_NIC}").values()), "it was down before"
    assert both(lambda name: session.on(name, "docker ps -aq")) == {"dtn1": "", "dtn2": ""}
