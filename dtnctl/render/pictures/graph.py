"""Pictures as nodes and edges, for programs that lay them out themselves: Graphviz (dot.py) and mermaid (mermaid.py)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

NodeKind = Literal["endpoint", "network", "path", "session", "cpus", "card", "functions", "disk", "note"]


@dataclass(frozen=True, slots=True)
class GraphNode:
    """`lines` are its label. `cluster` is the id of the frame that it is in; empty: none. `is_quiet`: what is free or reserved."""

    id: str
    kind: NodeKind
    lines: tuple[str, ...]
    cluster: str = ""
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """From one id to another. `is_dashed`: a path, or a link that is down or missing."""

    first: str
    second: str
    label: str = ""
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class GraphCluster:
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Ids are letters and digits, unique in the graph."""

    title: str
    clusters: tuple[GraphCluster, ...]
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]

    def inside(self, cluster: str) -> Iterable[GraphNode]:
        """The nodes of a frame; those of none for an empty id."""
        return (node for node in self.nodes if node.cluster == cluster)
