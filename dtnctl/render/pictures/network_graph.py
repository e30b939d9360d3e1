"""The networks between endpoints as nodes and edges: the same values as the picture, folded in the same way."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.network_map import NetworkMap
from dtnctl.render.pictures.fold import Folded, folded
from dtnctl.render.pictures.graph import Graph, GraphEdge, GraphNode
from dtnctl.render.pictures.network_words import group_name, left_out, link_words, network_lines, path_lines, row_name, row_words
from dtnctl.render.text import clip

LONGEST = 60  # characters of a line of a label


def networks_graph(whole: NetworkMap) -> Graph:
    """The map of all networks of a site."""
    drawn = folded(whole)
    nodes = (GraphNode(node.id, node.kind, tuple(clip(item, LONGEST, "…") for item in node.lines)) for node in _nodes(drawn))
    return Graph(f"Networks of site {whole.site}", (), tuple(nodes), tuple(_edges(drawn)))


def _nodes(drawn: Folded) -> Iterator[GraphNode]:
    for index, row in enumerate(drawn.rows):
        yield GraphNode(f"endpoint{index}", "endpoint", (row_name(row), row_words(row)))
    for index, network in enumerate(drawn.networks):
        yield GraphNode(f"network{index}", "network", (network.name, *network_lines(network)))
    for index, path in enumerate(drawn.paths):
        yield GraphNode(f"path{index}", "path", (f"path {path.name}", *path_lines(path)))
    for index, group in enumerate(drawn.groups):
        over = (f"over {', '.join(group.networks)}",) if group.networks else ()
        yield GraphNode(f"session{index}", "session", (group_name(group), group.state, *over))
    if words := left_out(drawn):
        yield GraphNode("more", "note", tuple(words))


def _edges(drawn: Folded) -> Iterator[GraphEdge]:
    networks = {network.name: index for index, network in enumerate(drawn.networks)}
    for index, row in enumerate(drawn.rows):
        for links in row.links:
            if links.network in networks:
                label = " · ".join(word for word in link_words(links) if word)
                yield GraphEdge(f"endpoint{index}", f"network{networks[links.network]}", label, bool(links.down or links.missing))
    for index, path in enumerate(drawn.paths):
        for row_number in sorted({drawn.row_of(name) for name in path.endpoints}):
            yield GraphEdge(f"endpoint{row_number}", f"path{index}", is_dashed=True)
    for index, group in enumerate(drawn.groups):
        for row_number in group.rows:
            yield GraphEdge(f"session{index}", f"endpoint{row_number}")
