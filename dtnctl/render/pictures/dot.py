"""A graph in Graphviz' language. Every label is a quoted string in which nothing has a meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dtnctl.printable import printable_text
from dtnctl.render.pictures.graph import Graph, GraphEdge, GraphNode, NodeKind

SHAPES: dict[NodeKind, str] = {
    "endpoint": 'shape=box, style="filled", fillcolor="#f6f8fa"',
    "network": 'shape=hexagon, style="filled", fillcolor="#cfe3ff"',
    "path": 'shape=box, style="dashed"',
    "session": 'shape=box, style="rounded,filled", fillcolor="#c9efd2"',
    "cpus": 'shape=box, style="filled", fillcolor="#ffffff"',
    "card": 'shape=box, style="filled", fillcolor="#cfe3ff"',
    "functions": 'shape=box, style="filled", fillcolor="#ffffff"',
    "disk": 'shape=cylinder, style="filled", fillcolor="#f5e9a6"',
    "note": "shape=plaintext",
}


def render_dot(graph: Graph) -> str:
    """A whole file for `dot`."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield f"graph {_quoted([graph.title])} {{"
    yield f'  label={_quoted([graph.title])}; labelloc=t; rankdir=LR; fontname="Helvetica";'
    yield '  node [fontname="Helvetica", fontsize=11]; edge [fontname="Helvetica", fontsize=10, color="#59636e"];'
    for cluster in graph.clusters:
        yield f'  subgraph cluster_{cluster.id} {{ label={_quoted([cluster.label])}; color="#d0d7de";'
        yield from (f"    {_node(node)}" for node in graph.inside(cluster.id))
        yield "  }"
    yield from (f"  {_node(node)}" for node in graph.inside(""))
    yield from (f"  {_edge(edge)}" for edge in graph.edges)
    yield "}"


def _node(node: GraphNode) -> str:
    quiet = ', color="#d0d7de", fontcolor="#59636e"' if node.is_quiet else ""
    return f"{node.id} [label={_quoted(node.lines)}, {SHAPES[node.kind]}{quiet}];"


def _edge(edge: GraphEdge) -> str:
    attributes = [f"label={_quoted([edge.label])}"] if edge.label else []
    attributes += ["style=dashed"] if edge.is_dashed else []
    shown = f" [{', '.join(attributes)}]" if attributes else ""
    return f"{edge.first} -- {edge.second}{shown};"


def _quoted(lines: Iterable[str]) -> str:
    texts = (printable_text(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(texts) + '"'
