"""What a host is for NVMe over fabrics: its name, its kernel's transports, who made which connection."""

from __future__ import annotations

from pathlib import Path

import pytest
from dtn_agent.probe.files import Files, HostRoot
from dtn_agent.probe.nvme import host_names
from dtn_agent.protocol.volumes import NvmeFacts

from tests.agent.recorded import facts_of


def nvme_of(name: str, folder: Path) -> NvmeFacts:
    found = facts_of(name, folder).nvme
    assert found is not None
    return found


def test_transports_are_those_that_the_kernel_has_or_can_load(tmp_path: Path) -> None:
    found = nvme_of("two-sockets", tmp_path)
    assert (found.initiator, found.target, found.file_systems) == (("rdma", "tcp"), ("tcp",), ("ext4", "xfs"))
    assert nvme_of("virtual-machine", tmp_path / "other").target == ()


def test_connections_are_listed_with_their_owner_and_local_drives_are_not(tmp_path: Path) -> None:
    found = nvme_of("two-sockets", tmp_path)
    assert [(item.name, item.transport, item.state, item.owner) for item in found.controllers] == [
        ("nvme9", "tcp", "live", "dtnctl"),
        ("nvme10", "rdma", "connecting", "stas"),
    ]
    assert found.exported == ("nqn.2014-08.org.nvmexpress:uuid:77777777-0000-4000-8000-000000000001",)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ("", "")),
        ({"state/hostnqn": "nqn.x:own", "state/hostid": "id1"}, ("nqn.x:own", "id1")),
        ({"etc/nvme/hostnqn": "nqn.x:theirs", "etc/nvme/hostid": "id2", "state/hostnqn": "nqn.x:own"}, ("nqn.x:theirs", "id2")),
        (
            {"etc/nvme/hostnqn": "nqn.2014-08.org.nvmexpress:uuid:0C1D2E3F-1111-4222-8333-444455556666"},
            ("nqn.2014-08.org.nvmexpress:uuid:0C1D2E3F-1111-4222-8333-444455556666", "0c1d2e3f-1111-4222-8333-444455556666"),
        ),
        ({"etc/nvme/hostnqn": "nqn.2001-01.com.example:dtn7"}, ("nqn.2001-01.com.example:dtn7", "5e746595-ebfc-5c8e-b90f-24b4332b596d")),
    ],
)
def test_the_hosts_name_is_nvme_clis_or_the_agents_own(tmp_path: Path, files: dict[str, str], expected: tuple[str, str]) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert host_names(Files(HostRoot(etc=tmp_path / "etc", state=tmp_path / "state"))) == expected
