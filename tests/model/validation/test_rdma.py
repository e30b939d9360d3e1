"""What a transfer by RDMA asks of the services at both ends: devices, and memory that may be locked."""

from __future__ import annotations

import pytest

from tests.model.sites import problems

SERVICES = "endpoints: [a, b]\nimage: x\nsettings:\n  volumes: ['/nvme:/data']\n  data_nets: [data]\n  data_port_range: [50100, 50103]\n"
COPY = "from: a:/data/x\nto: b:/data/x\ntool: rdma\n"
MEASUREMENT = "from: a\nto: b\ntool: rdma_bw\n"
DEVICES = "  devices: [rdma_cm, uverbs]\n"
PATHS = "  devices: [/dev/infiniband/rdma_cm, /dev/infiniband/uverbs1]\n"


def found(settings: str, transfer: str = COPY) -> list[str]:
    return [line for line in problems({"sessions/s": SERVICES + settings, "transfers/t": transfer}) if line.startswith("transfers/t.yaml")]


@pytest.mark.parametrize("transfer", [COPY, MEASUREMENT])
@pytest.mark.parametrize(("settings", "lacks"), [("", "`rdma_cm` nor `uverbs`"), ("  devices: [uverbs]\n", "`rdma_cm`")])
def test_a_session_without_rdma_devices_is_refused_at_both_ends(settings: str, lacks: str, transfer: str) -> None:
    tool = "rdma_bw" if transfer == MEASUREMENT else "rdma"
    assert [line for line in found(settings, transfer) if "E0348" in line] == [
        f"transfers/t.yaml:3:7: E0348: {tool} needs an RDMA device at both ends, and session s has no {lacks} on {end}; "
        "try `devices: [rdma_cm, uverbs]` in its profile"
        for end in "ab"
    ]


@pytest.mark.parametrize("settings", [PATHS, "  privileged: true\n", PATHS + "  limits: {memlock: 1048576}\n"])
def test_devices_by_their_paths_and_all_of_a_privileged_container_are_enough(settings: str) -> None:
    assert found(settings) == []


def test_a_tool_without_rdma_is_not_asked_for_devices() -> None:
    assert found("  limits: {memlock: 65536}\n", COPY.replace("rdma", "gridftp")) == []


@pytest.mark.parametrize(("limit", "is_enough"), [("-1", True), ("1048576", True), ("65536", False), ("{soft: 65536, hard: -1}", False)])
def test_locked_memory_that_does_not_hold_its_buffers_is_refused(limit: str, is_enough: bool) -> None:
    lines = [line for line in found(f"{PATHS}  limits: {{memlock: {limit}}}\n") if "on b" in line]
    assert lines == [
        "transfers/t.yaml:3:7: E0348: rdma locks its buffers in memory, and session s may lock 65536 bytes on b (sessions/s.yaml:8); "
        "try `limits: {memlock: -1}`, which `uverbs` brings if nothing is written"
    ] * (not is_enough)
