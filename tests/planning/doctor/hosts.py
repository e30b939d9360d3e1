"""Hosts as the agent tells of them, as plain data that a test may spoil: a well tuned one, and a VM of which little is known."""

from __future__ import annotations

import copy
from typing import Any

from dtn_agent.protocol import PROTOCOL_VERSION, Host

Data = dict[str, Any]

SYSCTLS = {
    "kernel.numa_balancing": "0",
    "net.core.default_qdisc": "fq",
    "net.core.netdev_max_backlog": "500000",
    "net.core.optmem_max": "1048576",
    "net.core.rmem_max": "2147483647",
    "net.core.wmem_max": "2147483647",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.ipv4.tcp_congestion_control": "bbr",
    "net.ipv4.tcp_mtu_probing": "1",
    "net.ipv4.tcp_no_metrics_save": "1",
    "net.ipv4.tcp_rmem": "4096\t131072\t1073741824",
    "net.ipv4.tcp_sack": "1",
    "net.ipv4.tcp_slow_start_after_idle": "0",
    "net.ipv4.tcp_timestamps": "1",
    "net.ipv4.tcp_window_scaling": "1",
    "net.ipv4.tcp_wmem": "4096\t65536\t1073741824",
    "net.netfilter.nf_conntrack_count": "17",
    "net.netfilter.nf_conntrack_max": "262144",
    "vm.dirty_background_bytes": "0",
    "vm.dirty_background_ratio": "5",
    "vm.zone_reclaim_mode": "0",
}
OWN_SYSCTLS = {name: value.replace("\t", " ") for name, value in SYSCTLS.items() if name.startswith("net.ipv4.")}
OFFLOADS = ["rx-checksum", "rx-gro", "tx-checksum-ip-generic", "tx-generic-segmentation", "tx-tcp-segmentation"]
GEN4_X16 = {
    "speed": 16.0,
    "width": 16,
    "max_speed": 16.0,
    "max_width": 16,
    "slot_speed": 32.0,
    "slot_width": 16,
    "payload": 256,
    "payload_max": 512,
}
GEN5_X4 = {
    "speed": 32.0,
    "width": 4,
    "max_speed": 32.0,
    "max_width": 4,
    "slot_speed": 32.0,
    "slot_width": 4,
    "payload": 256,
    "payload_max": 512,
}
ARRAY = {"read_ahead_kb": "4096", "md/level": "raid10", "md/sync_action": "idle", "md/degraded": "0"}
COUNTERS = {"rx_crc_errors": 3, "rx_missed_errors": 12, "rx_dropped": 50_000, "tx_carrier_errors": 0}
BIG = {"gso": 185_000, "gro": 185_000, "gso_ipv4": 185_000, "gro_ipv4": 185_000, "tso": 524_280}
SPREAD = [{"parent": "root", "kind": "mq", "handle": "1:"}, *({"parent": f"1:{n}", "kind": "fq", "handle": "0:"} for n in (1, 2))]


def nic(name: str, pci: str, speed: int, cpus: str, irqs: range, node: int, **more: Any) -> Data:
    """A card's port as it should be."""
    return {
        "name": name,
        "index": 2,
        "mtu": 9000,
        "is_up": True,
        "carrier": True,
        "speed": speed,
        "duplex": "full",
        "driver": "mlx5_core",
        "pci": pci,
        "numa_node": node,
        "local_cpus": cpus,
        "qdiscs": copy.deepcopy(SPREAD),
        "tx_queue_len": 25000,
        "rings": {"rx": 8192, "tx": 8192, "rx_max": 8192, "tx_max": 8192},
        "channels": {"combined": 32, "combined_max": 63},
        "offload_sizes": dict(BIG),
        "adaptive_rx": True,
        "pause_rx": True,
        "pause_tx": True,
        "features": list(OFFLOADS),
        "irqs": [{"number": 100 + cpu, "cpus": str(cpu)} for cpu in irqs],
        "rps": [""] * 32,
        "pcie": dict(GEN4_X16),
        "counters": dict(COUNTERS),
        **more,
    }


def stacked(name: str, kind: str, **more: Any) -> Data:
    """An interface that stands on others."""
    return {"name": name, "index": 9, "mtu": 9000, "is_up": True, "carrier": True, "kind": kind, **more}


def nvme(name: str) -> Data:
    return {
        "name": name,
        "size": 7 * 10**12,
        "numa_node": 1,
        "scheduler": "none",
        "transport": "nvme",
        "mounts": [{"target": "/nvme", "filesystem": "xfs", "options": ["rw", "noatime"]}],
        "holders": ["md0"],
        "pcie": dict(GEN5_X4),
        "settings": {"nr_requests": "1023", "read_ahead_kb": "4096", "rq_affinity": "2", "wbt_lat_usec": "0"},
    }


def management() -> Data:
    """A NIC that carries nothing of ours, as bad as can be."""
    return {
        "name": "eno1",
        "index": 1,
        "mtu": 1500,
        "is_up": False,
        "carrier": False,
        "speed": 1000,
        "duplex": "half",
        "features": ["rx-lro"],
    }


def system_disk() -> Data:
    """A disk that nothing of ours lies on, likewise."""
    mounts = [{"target": "/", "filesystem": "ext4", "options": ["rw", "relatime"]}]
    return {"name": "sda", "size": 10**11, "scheduler": "bfq", "transport": "sata", "mounts": mounts, "settings": {"read_ahead_kb": "128"}}


OWN, FAR = "10.9.0.1", "nqn.2001-01.com.example:far"


def well_tuned() -> Data:
    """A dual-socket host: a 100G port on node 1 with a VF, a bond of two 25G ports on node 0, an array of NVMe drives on node 1."""
    vf = nic("ens1f0v0", "0000:41:00.2", 100_000, "32-63", range(56, 60), 1, physfn="0000:41:00.0", pcie=None)
    table = [{"index": 0, "pci": "0000:41:00.2", "netdev": "ens1f0v0", "spoofchk": False, "trust": True, "link_state": "auto"}]
    md = {**nvme("md0"), "numa_node": None, "scheduler": None, "holders": [], "pcie": None, "settings": dict(ARRAY)}
    return {
        "version": PROTOCOL_VERSION,
        "agent": "0.1.0",
        "facts": {
            "system": {
                "hostname": "dtn",
                "kernel": "6.8.0-45-generic",
                "iommu": "passthrough",
                "irqbalance": False,
                "clock_synchronized": True,
                "huge_pages": "madvise",
                "aspm": "performance",
                "rdma_netns": "shared",
                "uptime": 86400.0,
            },
            "cpus": {
                "logical": 64,
                "online": "0-63",
                "smt": False,
                "turbo": True,
                "governors": ["performance"],
                "idle_states": [
                    {"name": "POLL", "latency": 0, "disabled": False},
                    {"name": "C1", "latency": 2, "disabled": False},
                    {"name": "C6", "latency": 133, "disabled": True},
                ],
                "numa": [{"node": 0, "cpus": "0-31"}, {"node": 1, "cpus": "32-63"}],
            },
            "memory": {"total": 2**38, "available": 2**37},
            "interfaces": [
                stacked("bond0", "bond"),
                stacked("bond0.222", "vlan", parent="bond0", vlan=222),
                management(),
                nic(
                    "ens1f0",
                    "0000:41:00.0",
                    100_000,
                    "32-63",
                    range(40, 56),
                    1,
                    sriov={"total": 8, "current": 1, "vfs": table},
                    addresses=[f"{OWN}/24"],
                ),
                vf,
                nic("ens2f0", "0000:81:00.0", 25_000, "0-31", range(8), 0, master="bond0"),
                nic("ens2f1", "0000:81:00.1", 25_000, "0-31", range(8, 16), 0, master="bond0"),
            ],
            "rdma": [
                {
                    "name": "mlx5_0",
                    "netdev": "ens1f0",
                    "pci": "0000:41:00.0",
                    "ports": [
                        {
                            "port": 1,
                            "state": "ACTIVE",
                            "link_layer": "Ethernet",
                            "gids": [{"index": 0, "gid": "::1", "type": "IB/RoCE v1"}, {"index": 1, "gid": "::1", "type": "RoCE v2"}],
                        }
                    ],
                }
            ],
            "block_devices": [md, nvme("nvme0n1"), nvme("nvme1n1"), system_disk(), {**nvme("nvme9n1"), "transport": "tcp", "mounts": []}],
            "nvme": {"controllers": [{"name": "nvme9", "nqn": FAR, "transport": "tcp", "address": "", "state": "live", "owner": "dtnctl"}]},
            "sysctls": dict(SYSCTLS),
            "containers": [],
        },
        "held": {"exports": [exported()], "volumes": [connected()]},
    }


def exported() -> Data:
    """A volume that the host exports on its fast port."""
    names = {"site": "lab", "volume": "near", "nqn": "nqn.2001-01.com.example:near", "uuid": "u", "serial": "s"}
    return names | {"backing": {"device": "/dev/nvme2n1"}, "portal": {"transport": "tcp", "address": OWN, "port": 4420}, "hosts": []}


def connected() -> Data:
    """A volume of another host that it has connected by that port, and mounted."""
    portal = {"transport": "tcp", "address": "10.9.0.2", "port": 4420}
    mount = {"path": "/var/lib/dtn-agent/volumes/lab/far", "file_system": "xfs", "mode": "ro", "is_mounted": True}
    names = {"site": "lab", "volume": "far", "nqn": FAR, "uuid": "u", "portal": portal, "host_address": OWN}
    return names | {"queues": {}, "state": "live", "device": "/dev/nvme9n1", "mount": mount}


def container_net(identity: str, address: str) -> Data:
    """What a service of the well tuned host sees."""
    own = {"name": "eth0", "mtu": 9000, "qdisc": "noqueue", "is_up": True, "addresses": [f"{address}/24"]}
    return {"id": identity, "sysctls": dict(OWN_SYSCTLS), "interfaces": [own], "limits": {"memlock": 65536, "nofile": 1048576}}


def virtual_machine() -> Data:
    """Of a VM the kernel tells little: one node, no slots, no frequencies; what it tells is in order."""
    interface = {"name": "ens1f0", "index": 2, "mtu": 9000, "is_up": True, "carrier": True, "driver": "virtio_net", "pci": "0000:00:03.0"}
    return {
        "version": PROTOCOL_VERSION,
        "agent": "0.1.0",
        "facts": {
            "system": {"hostname": "vm", "kernel": "6.1.0-21-amd64", "virtualization": "kvm"},
            "cpus": {"logical": 4, "online": "0-3", "numa": [{"node": 0, "cpus": "0-3"}]},
            "memory": {"total": 2**33, "available": 2**32},
            "interfaces": [interface],
        },
    }


def host(data: Data) -> Host:
    return Host.model_validate(data)


def item(data: Data, kind: str, name: str) -> Data:
    """The interface, block device, … of that name in a host's data."""
    found: Data = next(entry for entry in data["facts"][kind] if entry["name"] == name)
    return found
