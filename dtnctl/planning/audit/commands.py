"""Which command sets a setting by hand, until the next boot. Pure."""

from __future__ import annotations

from dtnctl.model.findings import Setting

INTERFACE = {
    "mtu": "ip link set {name} mtu {value}",
    "tx_queue_len": "ip link set {name} txqueuelen {value}",
    "rx_ring": "ethtool -G {name} rx {value}",
    "tx_ring": "ethtool -G {name} tx {value}",
    "channels": "ethtool -L {name} combined {value}",
    "adaptive_rx": "ethtool -C {name} adaptive-rx {value}",
    "pause_rx": "ethtool -A {name} rx {value}",
    "pause_tx": "ethtool -A {name} tx {value}",
    "qdisc": "tc qdisc replace dev {name} root {value}",
    "irqs": "CPUs of its NUMA node into /proc/irq/N/smp_affinity_list, for each of /sys/class/net/{name}/device/msi_irqs",
}
HOST = {
    "governor": "cpupower frequency-set --governor {value}",
    "smt": "echo {value} > /sys/devices/system/cpu/smt/control",
    "huge_pages": "echo {value} > /sys/kernel/mm/transparent_hugepage/enabled",
    "irqbalance": "systemctl disable --now irqbalance",
}


def command_of(setting: Setting) -> str:
    """What to type, or what to write where."""
    group, _, rest = setting.key.partition("/")
    name, _, what = rest.partition("/")
    match group:
        case "sysctl":
            quote = '"' if " " in setting.value else ""
            return f"sysctl -w {quote}{rest}={setting.value}{quote}"
        case "interface":
            return INTERFACE[what].format(name=name, value=setting.value)
        case "block":
            return f"echo {setting.value} > /sys/block/{name}/queue/{what}"
        case _:
            return HOST[group].format(value=setting.value)
