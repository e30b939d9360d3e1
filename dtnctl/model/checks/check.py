"""One item of the catalogue, and the pages that items refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
About = Literal["host", "NIC", "network", "VF", "container", "RDMA", "disk", "volume"]

ESNET = "https://fasterdata.es.net"
LINUX = f"{ESNET}/host-tuning/linux/"
FAST_HOSTS = f"{ESNET}/host-tuning/linux/100g-tuning/"
PACING = f"{ESNET}/host-tuning/packet-pacing/"
IRQS = f"{ESNET}/host-tuning/interrupt-binding/"
CONTAINERS = f"{ESNET}/host-tuning/linux/containers/"
DTN = f"{ESNET}/DTN/tuning/"
DTN_100G = f"{ESNET}/DTN/100g-dtn/"
TIERNEY = "https://github.com/bltierney/fasterdata-tuning"
OSG = "https://osg-htc.org/networking/host-network-tuning"
MELLANOX = "https://docslib.org/doc/12675100/performance-tuning-guidelines-for-mellanox-network-adapters"
JANUS = "https://github.com/esnet/janus"
KERNEL = "https://docs.kernel.org"
IP_SYSCTL = f"{KERNEL}/networking/ip-sysctl.html"
SRIOV_CNI = "https://github.com/k8snetworkplumbingwg/sriov-cni"
DOCKER_DRIVERS = "https://docs.docker.com/engine/network/drivers/"
RDMA_SYSTEM = "https://man7.org/linux/man-pages/man8/rdma-system.8.html"
BIG_TCP = "https://lwn.net/Articles/884104/"
MTU_ISSUES = f"{ESNET}/network-tuning/mtu-issues/"


@dataclass(frozen=True, slots=True)
class Check:
    """One item that is looked at. `expects` and `why` are words for people; `why` is one sentence, `source` says the same."""

    id: str
    about: About
    severity: Severity
    expects: str
    why: str
    source: str
