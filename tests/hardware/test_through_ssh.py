"""A host of which nothing but its ssh login is used: engine and agent are behind it; facts, a virtual function, doctor."""

from __future__ import annotations

import json
import re

import pytest

from lab.hardware import NEAR_NIC
from lab.hardware.agent import AGENT_SOCKET
from tests.hardware.scene import NETWORK, SITE, Scene

VLAN = 222
HOST = "dtn2"
AUDITS = 'journalctl --unit dtn-agent.service --output cat | grep \'"event": "audit"\''
CONNECT = f"import socket; socket.socket(socket.AF_UNIX).connect('{AGENT_SOCKET}')"


@pytest.fixture(scope="module")
def behind_ssh(scene: Scene) -> Scene:
    """One host by its login, the other one over TLS; a session across both, each service with a virtual function."""
    scene.through_ssh(HOST)
    scene.sriov(vlan=VLAN)
    scene.profile()
    scene.session()
    return scene


def test_facts_come_through_the_login(behind_ssh: Scene) -> None:
    shown = behind_ssh.run("endpoints", "show", HOST, "-o", "json").expect(0).json
    assert NEAR_NIC in [item["name"] for item in shown["host"]["facts"]["interfaces"]]


def test_the_socket_is_for_root_and_dockers_group_and_closed_to_others(behind_ssh: Scene) -> None:
    assert behind_ssh.on(HOST, f"stat -c '%a %U %G' {AGENT_SOCKET}") == "660 root docker\n"
    stranger = f'setpriv --reuid=65534 --regid=65534 --clear-groups python3 -c "{CONNECT}"'
    assert "PermissionError" in behind_ssh.on(HOST, f"{stranger} 2>&1 || true")


def test_a_service_gets_its_virtual_function_through_the_login(behind_ssh: Scene) -> None:
    behind_ssh.converge()
    mac = behind_ssh.container(HOST)["NetworkSettings"]["Networks"][NETWORK]["MacAddress"]
    row = re.search(r"vf 0 .*", behind_ssh.on(HOST, f"ip link show {NEAR_NIC}"))
    assert row is not None
    assert f"{mac} brd" in row[0]
    assert f"vlan {VLAN}" in row[0]
    behind_ssh.inside("dtn1", "ping -c 5 -i 0.5 -w 20 10.40.0.11 | grep -E ', [1-4]?[0-9]([.][0-9]+)?% packet loss'")
    asked = [json.loads(line) for line in behind_ssh.on(HOST, AUDITS).splitlines()]
    callers = {(line["who"], line["from"]) for line in asked if line["request"].get("site") == SITE and line["who"] != "agent"}
    assert ("uid 0", AGENT_SOCKET) in callers


def test_doctor_asks_through_the_login(behind_ssh: Scene) -> None:
    (found,) = behind_ssh.run("endpoints", "doctor", HOST, "-o", "json").expect(0).json["endpoints"]
    assert found["findings"]


def test_a_killed_agent_is_back_on_its_socket_with_what_it_had_made(behind_ssh: Scene) -> None:
    before = behind_ssh.on(HOST, "systemctl show --property=MainPID --value dtn-agent.service").strip()
    behind_ssh.on(HOST, "systemctl kill --kill-who=main --signal=KILL dtn-agent.service")
    again = f"systemctl is-active dtn-agent.service && [ $(systemctl show --property=MainPID --value dtn-agent.service) != {before} ]"
    behind_ssh.on(HOST, f"until {again}; do sleep 1; done", seconds=180)
    behind_ssh.assert_nothing_to_do()
