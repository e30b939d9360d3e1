"""The agent's probe tells what psutil and sysfs say, and invents nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
from dtn_agent.probe import probe

AGENT = Path(__file__).parents[2] / "agent"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")


def test_it_tells_this_hosts_interfaces_cpus_and_memory() -> None:
    facts = probe()
    assert facts.cpus == psutil.cpu_count()
    assert facts.memory == psutil.virtual_memory().total
    assert {item.name for item in facts.interfaces} == set(psutil.net_if_stats()) - {"lo"}


def test_where_devices_sit_is_read_from_sysfs(tmp_path: Path) -> None:
    name = next((item for item in psutil.net_if_stats() if item != "lo"), None)
    write(
        tmp_path,
        {
            "devices/system/node/node0/cpulist": "0-31",
            "devices/system/node/node0/meminfo": "Node 0 MemTotal:       1024 kB",
            "devices/system/node/node10/cpulist": "32-63",
            "block/nvme0n1/size": "2048",
            "block/nvme0n1/device/model": "FAST  ",
            "block/nvme0n1/device/numa_node": "1",
            "block/nvme0n1/queue/rotational": "0",
            "block/loop0/size": "8",
            f"class/net/{name}/device/numa_node": "-1",
            f"class/net/{name}/device/local_cpulist": "0-31",
            f"class/net/{name}/device/sriov_totalvfs": "8",
        },
    )
    facts = probe(tmp_path)
    assert [(node.node, node.cpus, node.memory) for node in facts.numa] == [(0, "0-31", 1024 * 1024), (10, "32-63", 0)]
    (disk,) = facts.block_devices
    assert (disk.name, disk.size, disk.model, disk.numa_node, disk.is_rotational) == ("nvme0n1", 1024 * 1024, "FAST", 1, False)
    for interface in facts.interfaces:
        if interface.name == name:
            assert (interface.numa_node, interface.cpus, interface.vfs, interface.vfs_total) == (None, "0-31", 0, 8)


def test_the_program_prints_one_json_document() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "dtn_agent"], env=os.environ | {"PYTHONPATH": str(AGENT)}, capture_output=True, text=True, check=True
    )
    document = json.loads(ran.stdout)
    assert (document["format_version"], document["kind"]) == (1, "facts")
