"""The lab's wires: two bridges in the lab's network namespace, and a namespace for the controller and each endpoint.

The namespaces' names exist only in the lab's mount namespace, so nothing is left when its processes are gone.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

from lab.layout import CONTROL_NET, CONTROLLER, CONTROLLER_HOST, DATA_NET, Endpoint, LabError

DATA_MTU = 9000
BRIDGES = ("brctl", "brdata")
# bridged frames must not pass iptables: an engine's FORWARD DROP would end them
BRIDGE_SETTINGS = "for file in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $file ] || echo 0 >$file; done"


def enter_lab(anchor: int) -> list[str]:
    """The command prefix that runs something in the lab's mount, process and (fabric) network namespace."""
    return ["nsenter", f"--target={anchor}", "--mount", "--pid", "--net", "--ipc", "--"]


def network_namespace(anchor: int, name: str) -> str:
    """The namespace file of an endpoint or the controller, as seen from outside the lab."""
    return f"/proc/{anchor}/root/run/netns/{name}"


def lay_wires(anchor: int, endpoints: Iterable[Endpoint]) -> None:
    """Make the bridges and plug in the controller and every endpoint."""
    hosts = [(CONTROLLER, CONTROLLER_HOST), *((endpoint.name, 10 + endpoint.number) for endpoint in endpoints)]
    _ip(anchor, [f"netns add {name}" for name, _ in hosts])
    _ip(anchor, [*_bridge_lines(), *(line for name, _ in hosts for line in _plug_lines(name))])
    for name, host in hosts:
        _ip(anchor, _address_lines(host), namespace=name)
    _run([*enter_lab(anchor), "sh", "-c", BRIDGE_SETTINGS])


def set_plugged(anchor: int, name: str, *, plugged: bool) -> None:
    """Plug or unplug both of a host's wires, as if its cables were pulled."""
    state = "up" if plugged else "down"
    _ip(anchor, [f"link set {wire}-{name} {state}" for wire in ("c", "d")])


def lay_further_wire(anchor: int, names: Iterable[str], interface: str) -> None:
    """A bridge of its own with an interface of this name on each host: what a VLAN is where the kernel has none."""
    bridge = f"br-{interface}"
    lines = [f"link add {bridge} mtu {DATA_MTU} type bridge forward_delay 0", f"link set {bridge} up"]
    for name in names:
        port, mtu = port_of(interface, name), f"mtu {DATA_MTU}"
        lines += [f"link add {port} {mtu} type veth peer name {interface} {mtu} netns {name}", f"link set {port} master {bridge} up"]
        lines += [f"-n {name} link set {interface} up"]
    for line in lines:
        _run([*enter_lab(anchor), "ip", *line.split()])


def remove_further_wire(anchor: int, names: Iterable[str], interface: str) -> None:
    """What `lay_further_wire` made."""
    _ip(anchor, [*(f"link del {port_of(interface, name)}" for name in names), f"link del br-{interface}"])


def port_of(interface: str, name: str) -> str:
    """The switch's port at the other end of a further wire."""
    return f"{interface}-{name}"


def set_port(anchor: int, port: str, setting: str) -> None:
    """Change a port of the lab's switches: `up`, `down`, `mtu 1500`."""
    _ip(anchor, [f"link set {port} {setting}"])


def _bridge_lines() -> list[str]:
    made = [f"link add {bridge} type bridge forward_delay 0" for bridge in BRIDGES]
    return ["link set lo up", *made, f"link set brdata mtu {DATA_MTU}", *(f"link set {name} up" for name in BRIDGES)]


def _plug_lines(name: str) -> list[str]:
    return [
        f"link add c-{name} type veth peer name eth0 netns {name}",
        f"link add d-{name} mtu {DATA_MTU} type veth peer name eth1 mtu {DATA_MTU} netns {name}",
        f"link set c-{name} master brctl up",
        f"link set d-{name} master brdata up",
    ]


def _address_lines(host: int) -> list[str]:
    return [
        "link set lo up",
        f"addr add {CONTROL_NET}.{host}/24 dev eth0",
        f"addr add {DATA_NET}.{host}/24 dev eth1",
        "link set eth0 up",
        "link set eth1 up",
        f"route add default via {CONTROL_NET}.{CONTROLLER_HOST} dev eth0" if host != CONTROLLER_HOST else "",
    ]


def _ip(anchor: int, lines: Iterable[str], namespace: str | None = None) -> None:
    batch = "".join(f"{line}\n" for line in lines if line)
    inside = ["-n", namespace] if namespace else []
    _run([*enter_lab(anchor), "ip", *inside, "-batch", "-"], batch)


def _run(command: list[str], text: str | None = None) -> None:
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"the lab's network: {' '.join(command)}: {done.stderr.strip()}")
