"""The kernel's settings that matter to data transfer."""

from __future__ import annotations

from dtn_agent.probe.files import Files

NAMES = tuple(
    sorted(
        {
            "kernel.numa_balancing",
            "kernel.sched_autogroup_enabled",
            "net.core.busy_poll",
            "net.core.busy_read",
            "net.core.default_qdisc",
            "net.core.netdev_budget",
            "net.core.netdev_budget_usecs",
            "net.core.netdev_max_backlog",
            "net.core.optmem_max",
            "net.core.rmem_default",
            "net.core.rmem_max",
            "net.core.rps_sock_flow_entries",
            "net.core.somaxconn",
            "net.core.wmem_default",
            "net.core.wmem_max",
            "net.ipv4.conf.all.arp_announce",
            "net.ipv4.conf.all.arp_filter",
            "net.ipv4.conf.all.arp_ignore",
            "net.ipv4.conf.all.rp_filter",
            "net.ipv4.conf.default.rp_filter",
            "net.ipv4.ip_forward",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.ip_local_reserved_ports",
            "net.ipv4.tcp_adv_win_scale",
            "net.ipv4.tcp_allowed_congestion_control",
            "net.ipv4.tcp_available_congestion_control",
            "net.ipv4.tcp_congestion_control",
            "net.ipv4.tcp_low_latency",
            "net.ipv4.tcp_max_syn_backlog",
            "net.ipv4.tcp_mem",
            "net.ipv4.tcp_moderate_rcvbuf",
            "net.ipv4.tcp_mtu_probing",
            "net.ipv4.tcp_no_metrics_save",
            "net.ipv4.tcp_rmem",
            "net.ipv4.tcp_sack",
            "net.ipv4.tcp_slow_start_after_idle",
            "net.ipv4.tcp_timestamps",
            "net.ipv4.tcp_window_scaling",
            "net.ipv4.tcp_wmem",
            "net.ipv4.udp_mem",
            "net.ipv4.udp_rmem_min",
            "net.ipv4.udp_wmem_min",
            "net.netfilter.nf_conntrack_count",
            "net.netfilter.nf_conntrack_max",
            "vm.dirty_background_bytes",
            "vm.dirty_background_ratio",
            "vm.dirty_bytes",
            "vm.dirty_expire_centisecs",
            "vm.dirty_ratio",
            "vm.dirty_writeback_centisecs",
            "vm.min_free_kbytes",
            "vm.nr_hugepages",
            "vm.overcommit_memory",
            "vm.swappiness",
            "vm.zone_reclaim_mode",
        }
    )
)


def sysctls(files: Files) -> dict[str, str]:
    """Values by dotted name, of those that this kernel has. The tabs between numbers become single spaces."""
    found = {name: files.text(f"{files.proc}/sys/{name.replace('.', '/')}") for name in NAMES}
    return {name: " ".join(value.split()) for name, value in found.items() if value is not None}
