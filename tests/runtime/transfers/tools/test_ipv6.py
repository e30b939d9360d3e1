"""Every tool between two services that reach each other by IPv6: its client, its server and its login. No lab has RDMA devices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtnctl.model.tools import TOOLS
from tests.runtime.transfers.tools.scene import HERE, ROWS, THERE, ToolScene

pytestmark = pytest.mark.lab
ADDRESSES = {HERE: "fd00:98::11", THERE: "fd00:98::12"}


@pytest.fixture
def by_ipv6(scene: ToolScene) -> Iterator[ToolScene]:
    """Both hosts have an IPv6 address, and the destination answers the tools' ports over IPv6 alone."""
    for name, address in ADDRESSES.items():
        scene.lab.exec(name, ["ip", "-6", "address", "add", f"{address}/64", "dev", "eth0", "nodad"])
    offered = scene.sh(THERE, "grep ^DATA_IFACE= /etc/dtn.env").strip()
    scene.sh(THERE, f"sed -i 's/^DATA_IFACE=.*/DATA_IFACE={ADDRESSES[THERE]}/' /etc/dtn.env", user="root")
    with scene.rule("-i", "eth0", "-p", "tcp", "--dport", "30000:60000", "-j", "DROP"):
        yield scene
    scene.sh(THERE, f"sed -i 's/^DATA_IFACE=.*/{offered}/' /etc/dtn.env", user="root")
    for name, address in ADDRESSES.items():
        scene.lab.exec(name, ["ip", "-6", "address", "del", f"{address}/64", "dev", "eth0"])


@pytest.mark.parametrize("tool", [name for name, row in ROWS.items() if row.moves == "files" and not row.rdma])
def test_a_file_arrives_over_ipv6(by_ipv6: ToolScene, tool: str) -> None:
    by_ipv6.sh(HERE, "head -c 3000000 /dev/urandom > /data/six")
    job = by_ipv6.job(tool, "/data/six", f"/data/{tool}-six")
    job.host = ADDRESSES[THERE]
    receipt = job.run()
    assert (receipt.verdict, receipt.bytes) == ("succeeded", 3_000_000), receipt
    assert by_ipv6.sh(THERE, f"md5sum < /data/{tool}-six") == by_ipv6.sh(HERE, "md5sum < /data/six")
    job.leaves_nothing()


@pytest.mark.parametrize("tool", [name for name, row in TOOLS.items() if row.moves == "memory" and not row.rdma])
def test_a_measurement_is_taken_over_ipv6(by_ipv6: ToolScene, tool: str) -> None:
    job = by_ipv6.job(tool, own={"seconds": 1}, parallelism=2)
    job.host = ADDRESSES[THERE]
    receipt = job.run()
    assert (receipt.verdict, receipt.bytes > 0) == ("succeeded", True), receipt
    job.leaves_nothing()
