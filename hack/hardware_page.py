"""Writes docs/hardware-session.md: the talk's RDMA session, as people write it and as `dtnctl plan` shows it.

usage: python hack/hardware_page.py     the plan is that of tests/cases/rdma-over-sriov; a test holds the page to it
"""

from __future__ import annotations

from pathlib import Path

CLONE = Path(__file__).resolve().parents[1]
PAGE = CLONE / "docs" / "hardware-session.md"
CASE = CLONE / "tests" / "cases" / "rdma-over-sriov"
FILES = ("endpoints/nersc-tbn-7", "endpoints/starlight-dtn", "networks/star222", "profiles/lbnl-rdma", "sessions/ofed-test")

HEAD = """\
# A session on hardware of its own

The talk's own example: RDMA between two DTNs, each service with a virtual function of the card that carries the network, the
verbs device of that function, and four CPUs beside it. Both endpoints have an [agent](agent.md). This page is written by
`hack/hardware_page.py`.

## What people write

`devices: [rdma_cm, uverbs]` is all that RDMA takes: which verbs device it is, is a choice; IPC_LOCK and unlimited locked memory come
along. `near: data_net` makes `cpus` whole CPUs of the card's NUMA node, with their memory.
"""
PLAN = """\
## What the plan shows

Before anything is touched: which function by PCI address, its NUMA node, VLAN, MTU and MAC, which verbs device, which CPUs, and what
each endpoint has left. The note is the one thing to look at: on one endpoint, data and card are on different sockets.
"""
REST = """\
## What happens then

The function is taken and set before the container is made, and restored as it was found after the container is gone. The agent
keeps a ledger of both. Restarts of the container, the engine or the host bring the data path back without dtnctl: the agent is the
engine's [network driver](decisions/0008-vfs-by-a-network-driver.md) for such networks. VLAN, trust and rates are changed in place; a MAC
or an MTU while the container is stopped for a moment. What somebody changes by hand is drift: the next plan shows it, the next
apply repairs it.

| To know | |
|---|---|
| more functions | `vfs: {ens1f0: 8}` in the endpoint's file: made where there are none, never changed while one is in use |
| none left | the session is blocked, and the plan says who has which |
| `mac: keep` | the card's own MAC; by default it is made of the session's name, and stays when another function is given |
| `reserved_cpus: irq` | CPUs that serve the cards' interrupts are given to no service |
| numbers of verbs devices | may change when a host boots; the plan then shows the device as drift |
| RoCE's GID index | differs in each network namespace: `dtnctl sessions show NAME` says what it is inside of each service |

Next: [the agent](agent.md) · [doctor](doctor.md) · [volumes over NVMe-oF](volumes.md) · [state reference](state-reference.md)
"""


def render_page() -> str:
    """The page's text."""
    parts = [HEAD]
    for name in FILES:
        text = (CASE / "state" / f"{name}.yaml").read_text(encoding="utf-8")
        parts.append(f"```yaml\n# state/{name}.yaml\n{text}```\n")
    plan = (CASE / "plan.txt").read_text(encoding="utf-8")
    return "\n".join([*parts, PLAN, f"```\n{plan}```\n", REST])


def main() -> None:
    PAGE.write_text(render_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
