"""A host as nodes and edges: the same values as the picture. What is alike is one node: CPUs of one holder, disks of one mount."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dtnctl.model.hardware import cpu_text
from dtnctl.model.host_map import CardPlace, CpuPlace, DiskPlace, FunctionPlace, HostMap, NodePlace
from dtnctl.printable import plural
from dtnctl.render.pictures.graph import Graph, GraphCluster, GraphEdge, GraphNode
from dtnctl.render.pictures.host_words import card_state, card_words, disk_words, node_title
from dtnctl.render.quantities import size_text
from dtnctl.render.text import clip

LONGEST, MOST = 60, 24  # characters of a line, and sessions that are drawn


def host_graph(host: HostMap) -> Graph:
    """The map of one endpoint's host."""
    names = list(dict.fromkeys(item.session for item in host.sessions))[:MOST]
    sessions = {name: f"session{index}" for index, name in enumerate(names)}
    parts = [part for index, node in enumerate(host.nodes) for part in _parts(node, f"node{index}", sessions)]
    clusters = tuple(GraphCluster(f"node{index}", node_title(host, node)) for index, node in enumerate(host.nodes))
    nodes = [*_sessions(host, sessions), *(node for part in parts for node in part.nodes)]
    short = tuple(GraphNode(node.id, node.kind, _short(node.lines), node.cluster, node.is_quiet) for node in nodes)
    return Graph(f"Host of endpoint {host.endpoint}", clusters, short, tuple(edge for part in parts for edge in part.edges))


@dataclass(frozen=True, slots=True)
class _Part:
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]


def _short(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(clip(line, LONGEST, "…") for line in lines)


def _sessions(host: HostMap, sessions: Mapping[str, str]) -> Iterator[GraphNode]:
    states = {item.session: item.state for item in host.sessions}
    for name, identifier in sessions.items():
        yield GraphNode(identifier, "session", (name, states[name]))
    if len(states) > len(sessions):
        yield GraphNode("more", "note", (f"and {plural(len(states) - len(sessions), 'further session')}",))
    if host.unknown:
        yield GraphNode("unknown", "note", ("hardware unknown", host.unknown))


def _parts(node: NodePlace, cluster: str, sessions: Mapping[str, str]) -> Iterator[_Part]:
    yield from _cpus(node.cpus, cluster, sessions)
    for index, card in enumerate(node.cards):
        yield _card(card, f"{cluster}card{index}", cluster, sessions)
    yield from _disks(node.disks, cluster, sessions)


def _held(names: Sequence[str], identifier: str, sessions: Mapping[str, str]) -> tuple[GraphEdge, ...]:
    return tuple(GraphEdge(sessions[name], identifier) for name in names if name in sessions)


def _cpus(cpus: Sequence[CpuPlace], cluster: str, sessions: Mapping[str, str]) -> Iterator[_Part]:
    """One node for those of each holder, one for reserved and one for free ones."""
    alike: dict[tuple[tuple[str, ...], bool], list[CpuPlace]] = {}
    for cpu in cpus:
        alike.setdefault((cpu.sessions, cpu.is_reserved and not cpu.sessions), []).append(cpu)
    for index, ((names, is_reserved), found) in enumerate(alike.items()):
        word = "" if names else "reserved for the host" if is_reserved else "free"
        lines = (f"CPUs {cpu_text(cpu.number for cpu in found)}", plural(len(found), "CPU") + (f", {word}" if word else ""))
        identifier = f"{cluster}cpus{index}"
        yield _Part((GraphNode(identifier, "cpus", lines, cluster, not names),), _held(names, identifier, sessions))


def _card(card: CardPlace, identifier: str, cluster: str, sessions: Mapping[str, str]) -> _Part:
    """The card with its networks, and a node for the virtual functions of each holder."""
    networks = tuple(f"{item.name} · {item.driver}{f' · VLAN {item.vlan}' if item.vlan else ''}" for item in card.networks)
    nodes = [GraphNode(identifier, "card", (card.name, card_state(card)[0], *card_words(card), *networks), cluster, not networks)]
    edges = [edge for item in card.networks for edge in _held(item.sessions, identifier, sessions)]
    alike: dict[tuple[str, str], list[FunctionPlace]] = {}
    for function in card.functions:
        alike.setdefault((function.session, function.other), []).append(function)
    for index, ((session, other), found) in enumerate(alike.items()):
        below = f"{identifier}functions{index}"
        word = "" if session else f", {other or 'free'}"
        lines = (f"VFs {cpu_text(item.index for item in found)}", plural(len(found), "virtual function") + word)
        nodes.append(GraphNode(below, "functions", lines, cluster, not session))
        edges += [GraphEdge(identifier, below), *_held([session], below, sessions)]
    return _Part(tuple(nodes), tuple(edges))


def _disks(disks: Sequence[DiskPlace], cluster: str, sessions: Mapping[str, str]) -> Iterator[_Part]:
    alike: dict[tuple[object, ...], list[DiskPlace]] = {}
    for disk in disks:
        alike.setdefault((disk_words(disk), disk.size, disk.sessions), []).append(disk)
    for index, found in enumerate(alike.values()):
        first, identifier = found[0], f"{cluster}disk{index}"
        count = f"{len(found)} × " if len(found) > 1 else ""
        lines = (", ".join(disk.name for disk in found), f"{count}{size_text(first.size)}", *filter(None, [disk_words(first)]))
        yield _Part((GraphNode(identifier, "disk", lines, cluster, not first.sessions),), _held(first.sessions, identifier, sessions))
