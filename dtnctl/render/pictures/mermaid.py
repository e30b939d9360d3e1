"""A graph in mermaid's language, which GitHub and GitLab draw in Markdown. What could have a meaning in a label is written as its code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dtnctl.printable import printable_text
from dtnctl.render.pictures.graph import Graph, GraphEdge, GraphNode, NodeKind

# the brackets of each kind's shape
SHAPES: dict[NodeKind, tuple[str, str]] = {
    "endpoint": ("[", "]"),
    "network": ("{{", "}}"),
    "path": ("[/", "/]"),
    "session": ("([", "])"),
    "cpus": ("[", "]"),
    "card": ("[", "]"),
    "functions": ("[", "]"),
    "disk": ("[(", ")]"),
    "note": ("[", "]"),
}
MEANING = re.compile(r"[^\w .,/:·…×↑-]|^[-.]|(?<=\d)\.(?= )", re.UNICODE)  # the last two begin a list of Markdown


def render_mermaid(graph: Graph) -> str:
    """A whole diagram; a block of Markdown that is marked `mermaid` holds it."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield "flowchart LR"
    yield f"  accTitle: {_plain(graph.title)}"
    for cluster in graph.clusters:
        yield f"  subgraph {cluster.id}[{_quoted([cluster.label])}]"
        yield from (f"    {_node(node)}" for node in graph.inside(cluster.id))
        yield "  end"
    yield from (f"  {_node(node)}" for node in graph.inside(""))
    yield from (f"  {_edge(edge)}" for edge in graph.edges)
    yield "  classDef quiet stroke-dasharray:4 3"
    if quiet := [node.id for node in graph.nodes if node.is_quiet]:
        yield f"  class {','.join(quiet)} quiet"


def _node(node: GraphNode) -> str:
    left, right = SHAPES[node.kind]
    return f"{node.id}{left}{_quoted(node.lines)}{right}"


def _edge(edge: GraphEdge) -> str:
    link = "-.-" if edge.is_dashed else "---"
    return f"{edge.first} {link}{f'|{_quoted([edge.label])}|' if edge.label else ''} {edge.second}"


def _quoted(lines: Iterable[str]) -> str:
    return '"' + "<br/>".join(_coded(printable_text(line)) for line in lines) + '"'


def _coded(text: str) -> str:
    return MEANING.sub(lambda found: f"#{ord(found[0])};", text)


def _plain(text: str) -> str:
    """For a line that has no codes."""
    return re.sub(r"[^\w .,-]", " ", printable_text(text))
