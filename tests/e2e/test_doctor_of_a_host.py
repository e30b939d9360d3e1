"""`dtnctl doctor ssh://HOST ssh://PEER` on hosts of the lab: what is between them, YAML that can be applied, and nothing left behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.playground import Playground

pytestmark = pytest.mark.lab

# What a login leaves anywhere; the engine and the lab write into folders of theirs all the time.
FILES = [
    "find",
    "/etc",
    "/data",
    "/home",
    "/opt",
    "/root",
    "/run",
    "/srv",
    "-xdev",
    "(",
    "-path",
    "/run/lab",
    "-o",
    "-path",
    "/run/docker",
    ")",
    "-prune",
    "-o",
    "-printf",
    "%p|%T@|%C@|%s\\n",
]
PROCESSES = ["ps", "-e", "-o", "pid=,args="]
WIRE = "wire7"
# One for each check of what a network namespace has for itself: how it is right, how it is planted.
FAULTS = {
    "net.tcp_mtu_probing": ("sysctl -q net.ipv4.tcp_mtu_probing=1", "sysctl -q net.ipv4.tcp_mtu_probing=0"),
    "net.tcp_sack": ("sysctl -q net.ipv4.tcp_sack=1", "sysctl -q net.ipv4.tcp_sack=0"),
    "net.tcp_timestamps": ("sysctl -q net.ipv4.tcp_timestamps=1", "sysctl -q net.ipv4.tcp_timestamps=0"),
    "net.tcp_window_scaling": ("sysctl -q net.ipv4.tcp_window_scaling=1", "sysctl -q net.ipv4.tcp_window_scaling=0"),
    "nic.jumbo": (f"ip link set {WIRE} mtu 9000", f"ip link set {WIRE} mtu 1500"),
    "net.tcp_no_metrics_save": ("sysctl -q net.ipv4.tcp_no_metrics_save=1", "sysctl -q net.ipv4.tcp_no_metrics_save=0"),
}
RIGHT, PLANTED = ("; ".join(pair[number] for pair in FAULTS.values()) for number in (0, 1))
ADDRESSES = {"dtn1": "10.77.7.1/24", "dtn2": "10.77.7.2/24"}


def doctor(play: Playground, *arguments: str) -> Any:
    """The document of both hosts."""
    hosts = [endpoint.ssh_url for endpoint in play.lab.endpoints[:2]]
    ran = play.run("doctor", *hosts, *arguments, "-o", "json", "--timeout", "60s")
    assert ran.code in (0, 2), ran.err
    return ran.json


def pair_on(document: Any, interface: str) -> Any:
    (found,) = [pair for pair in document["pairs"] if pair["near"]["interface"] == interface]
    return found


def test_packets_pass_as_large_as_both_ends_send_and_a_switch_with_smaller_ones_is_found(play: Playground) -> None:
    with play.lab.wire(WIRE):
        for name, address in ADDRESSES.items():
            play.lab.exec(name, ["ip", "address", "add", address, "dev", WIRE])
        document = doctor(play)
        assert [host["name"] for host in document["hosts"]] == ["dtn1", "dtn2"]
        pair = pair_on(document, WIRE)
        assert (pair["subnet"], pair["near"]["mtu"], pair["passes"], pair["trouble"]) == ("10.77.7.0/24", 9000, 9000, "")
        assert document["pair_faults"] == []
        play.lab.set_wire(WIRE, "dtn2", "mtu 1500")
        document = doctor(play)
    assert pair_on(document, WIRE)["passes"] == 1500
    (fault,) = document["pair_faults"]
    assert (fault["near"], fault["severity"]) == (WIRE, "error")
    assert fault["found"] == "packets of more than 1500 bytes are lost between them, and both interfaces send 9000"


def test_planted_faults_are_found_and_no_others(play: Playground) -> None:
    """What a namespace has for itself; the rules of cards and disks are tried on recorded hosts (tests/planning)."""

    def found() -> set[str]:
        document = doctor(play, "--interface", WIRE)
        return {item["check"] for item in document["hosts"][0]["findings"] if item["severity"] in ("error", "warning", "info")}

    with play.lab.wire(WIRE):
        play.lab.exec("dtn1", ["ip", "address", "add", ADDRESSES["dtn1"], "dev", WIRE])
        names = [f"net.ipv4.{check.partition('.')[2]}" for check in FAULTS if check.startswith("net.")]
        kept = play.lab.exec("dtn1", ["sysctl", *names]).stdout
        play.lab.exec("dtn1", ["sh", "-c", RIGHT])
        before = found()
        play.lab.exec("dtn1", ["sh", "-c", PLANTED])
        new = found() - before
        play.lab.exec("dtn1", ["sysctl", "-q", "-w", *(line.replace(" = ", "=") for line in kept.splitlines())])
    assert new == FAULTS.keys()


def test_interfaces_of_one_network_that_send_frames_of_different_sizes_are_found_by_the_rules(play: Playground) -> None:
    with play.lab.wire(WIRE):
        for name, address in ADDRESSES.items():
            play.lab.exec(name, ["ip", "address", "add", address, "dev", WIRE])
        play.lab.exec("dtn2", ["ip", "link", "set", WIRE, "mtu", "4000"])
        document = doctor(play, "--interface", WIRE)
    (finding,) = [item for item in document["hosts"][0]["findings"] if item["check"] == "nic.mtu_peers"]
    assert (finding["severity"], finding["subject"], finding["actual"]) == ("error", "net-10-77-7-0-24", "9000 on dtn1, 4000 on dtn2")
    assert pair_on(document, WIRE)["passes"] == 4000


def test_hosts_are_as_they_were_before(play: Playground) -> None:
    """Files with their times, and processes; each host has its own processes and folders."""

    def seen() -> dict[str, tuple[list[str], list[str]]]:
        found = {}
        for endpoint in play.lab.endpoints[:2]:
            files = play.lab.exec(endpoint.name, FILES).stdout.splitlines()
            processes = [line for line in play.lab.exec(endpoint.name, PROCESSES).stdout.splitlines() if "ps -e" not in line]
            found[endpoint.name] = sorted(files), processes
        return found

    doctor(play)  # the first login makes what sshd itself keeps
    before = seen()
    doctor(play)
    assert seen() == before
    assert all(len(files) > 100 and len(processes) > 2 for files, processes in before.values())


def test_yaml_that_it_writes_is_a_valid_site(play: Playground) -> None:
    for name in ("endpoints/dtn1", "endpoints/dtn2"):
        play.remove(name)
    ran = play.run("doctor", play.lab.endpoint("dtn1").ssh_url, "--write", "--timeout", "60s")
    assert ran.code in (0, 2), ran.err
    assert "wrote state/endpoints/dtn1.yaml" in ran.err
    play.run("validate").expect(0)
    assert "dtn1" in play.run("endpoints", "list").expect(0).out
