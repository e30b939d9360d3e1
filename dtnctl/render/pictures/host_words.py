"""What a host's picture says in words: labels, what shows under a pointer, and the description for people who do not see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dtnctl.model.hardware import cpu_text
from dtnctl.model.host_map import CardPlace, CpuPlace, DiskPlace, FunctionPlace, HeldHere, HostMap, NodePlace
from dtnctl.printable import plural
from dtnctl.render.quantities import link_speed_text

MOST = 20  # sessions that a description names


def node_title(host: HostMap, node: NodePlace) -> str:
    """`Socket 0 · NUMA node 0`; without what is not known."""
    if node.node is None:
        return "Without a NUMA node"
    one_each = host.sockets == sum(item.node is not None for item in host.nodes)
    socket = f"Socket {node.socket} · " if node.socket is not None and (one_each or host.sockets != 1) else ""
    return f"{socket}NUMA node {node.node}"


# --- CPUs -----------------------------------------------------------------------------------------------------------


def cpu_counts(cpus: Sequence[CpuPlace]) -> str:
    """`64 CPUs: 16 held, 4 reserved, 44 free`."""
    counts = Counter(_use(cpu) for cpu in cpus)
    uses = [f"{counts[use]:,} {use}" for use in ("held", "reserved", "free") if counts[use]]
    return f"{plural(len(cpus), 'CPU')}: {', '.join(uses)}"


def _use(cpu: CpuPlace) -> str:
    return "held" if cpu.sessions else "reserved" if cpu.is_reserved else "free"


def cpu_title(cpu: CpuPlace) -> str:
    who = f"session {' and session '.join(cpu.sessions)}" if cpu.sessions else "reserved for the host" if cpu.is_reserved else "free"
    return f"CPU {cpu.number}: {who}{', serves interrupts of data interfaces' if cpu.serves_interrupts else ''}"


# --- cards and disks ------------------------------------------------------------------------------------------------


def card_state(card: CardPlace) -> tuple[str, str]:
    """Speed and state, and the class of its colour."""
    if not card.is_there:
        return "not on the host now", "bad"
    state = "down" if not card.is_up else "no carrier" if card.carrier is False else "up"
    speed = [link_speed_text(card.speed)] if card.speed else []
    return " · ".join([*speed, state]), "good" if state == "up" else "bad"


def card_words(card: CardPlace) -> Iterator[str]:
    """One line of what else is known, if anything is."""
    words = [f"MTU {card.mtu}"] if card.mtu else []
    words += [word for word in (card.driver, card.pci) if word]
    words += [f"RDMA {', '.join(card.rdma)}"] if card.rdma else []
    if words:
        yield " · ".join(words)


def function_counts(card: CardPlace) -> str:
    """`64 of 127 virtual functions: 3 held, 1 of others, 60 free`."""
    if not card.functions:
        return f"no virtual functions are made; {card.functions_most:,} are possible"
    held, other = sum(bool(item.session) for item in card.functions), sum(bool(item.other) for item in card.functions)
    free = len(card.functions) - held - other
    uses = [f"{count:,} {use}" for count, use in ((held, "held"), (other, "of others"), (free, "free")) if count]
    return f"{len(card.functions):,} of {plural(card.functions_most, 'virtual function')}: {', '.join(uses)}"


def function_title(function: FunctionPlace) -> str:
    who = f"session {function.session}, network {function.network}" if function.session else function.other or "free"
    return f"virtual function {function.index}: {who}"


def disk_words(disk: DiskPlace) -> str:
    words = [disk.model, disk.transport]
    words += [f"volume {disk.volume}"] if disk.volume else []
    words += [f"exported as {disk.exported}"] if disk.exported else []
    return " · ".join([*(word for word in words if word), *([", ".join(disk.mounts)] if disk.mounts else [])])


# --- sessions -------------------------------------------------------------------------------------------------------


def functions_text(functions: Sequence[str]) -> str:
    """`ens1f0: 2-3, ens2f0: 0` of `ens1f0 2`, `ens1f0 3` …"""
    numbers: dict[str, list[int]] = {}
    for item in functions:
        card, _, index = item.rpartition(" ")
        numbers.setdefault(card, []).append(int(index))
    return ", ".join(f"{card}: {cpu_text(found)}" for card, found in numbers.items())


def session_words(held: HeldHere) -> str:
    words = [f"CPUs {held.cpus}"] if held.cpus else []
    words += [f"virtual functions {functions_text(held.functions)}"] if held.functions else []
    words += [f"networks {', '.join(held.networks)}"] if held.networks else []
    words += [f"folders {', '.join(held.folders)}"] if held.folders else []
    return f"session {held.session} ({held.state}) has {'; '.join(words) or 'nothing of its own'}"


def host_description(host: HostMap) -> str:
    """All that the picture shows and that is not a single cell."""
    sentences = [f"The hardware is unknown: {host.unknown}"] if host.unknown else [", ".join(host.hardware)]
    sentences += [_node_words(host, node) for node in host.nodes]
    sentences += [session_words(item) for item in host.sessions[:MOST]]
    if len(host.sessions) > MOST:
        sentences.append(f"{plural(len(host.sessions) - MOST, 'further session')} are here")
    return ". ".join(sentences) + "."


def _node_words(host: HostMap, node: NodePlace) -> str:
    words = [cpu_counts(node.cpus)] if node.cpus else []
    for card in node.cards:
        networks = f" carries {', '.join(network.name for network in card.networks)}" if card.networks else ""
        functions = f" with {function_counts(card)}" if card.functions else ""
        words.append(f"card {card.name} ({card_state(card)[0]}){networks}{functions}")
    words += [f"disk {disk.name}{f' ({disk_words(disk)})' if disk_words(disk) else ''}" for disk in node.disks]
    return f"{node_title(host, node)}: {'; '.join(words) or 'nothing'}"
