"""In dot and mermaid every text is a label: none ends its quotes, opens a node, or becomes a reference or Markdown."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.printable import printable_text
from dtnctl.render.pictures.ascii import coded_in_ascii
from dtnctl.render.pictures.dot import render_dot
from dtnctl.render.pictures.graph import Graph, GraphCluster, GraphEdge, GraphNode
from dtnctl.render.pictures.mermaid import render_mermaid
from tests.render.pictures.maps import HOSTILE

DOT_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
MERMAID_STRING = re.compile(r'"([^"]*)"')


def _graph(text: str) -> Graph:
    nodes = (GraphNode("n0", "session", (text, "second"), "c0"), GraphNode("n1", "disk", (text,), is_quiet=True))
    return Graph(text, (GraphCluster("c0", text),), nodes, (GraphEdge("n0", "n1", text), GraphEdge("n0", "n1", is_dashed=True)))


def _without_strings(document: str, string: re.Pattern[str]) -> str:
    return string.sub('""', document)


PLAIN_DOT = _without_strings(render_dot(_graph("x")), DOT_STRING)
PLAIN_MERMAID = _without_strings(render_mermaid(_graph("x")), MERMAID_STRING)


@given(st.text(min_size=1, max_size=40))
def test_dot_stays_the_same_around_any_text_and_gives_it_back(text: str) -> None:
    document = render_dot(_graph(text))
    assert _without_strings(document, DOT_STRING) == PLAIN_DOT
    shown = {html.unescape(found.replace("\\\\", "\\").replace('\\"', '"')) for found in DOT_STRING.findall(document)}
    assert printable_text(text) in shown


@given(st.text(min_size=1, max_size=40))
def test_mermaid_stays_the_same_around_any_text_and_gives_it_back(text: str) -> None:
    document = render_mermaid(_graph(text))
    kept = [line for line in document.splitlines() if "accTitle" not in line]
    plain = [line for line in PLAIN_MERMAID.splitlines() if "accTitle" not in line]
    assert _without_strings("\n".join(kept), MERMAID_STRING) == "\n".join(plain)
    shown = {re.sub(r"#(\d+);", lambda code: chr(int(code[1])), found) for found in MERMAID_STRING.findall(document)}
    assert printable_text(text) in shown
    assert not re.search(r"[<>`#](?!\d+;|br/>)(?<!br/>)", "".join(MERMAID_STRING.findall(document)))


@pytest.mark.parametrize("text", ["1. first", "- item", "`markdown`", "end", HOSTILE])
def test_no_label_of_mermaid_is_read_as_markdown(text: str) -> None:
    labels = MERMAID_STRING.findall(render_mermaid(_graph(text)))
    assert not [label for label in labels if re.match(r"\d+\. |[-*+`]", label)]


def test_ids_of_dot_and_mermaid_are_words() -> None:
    assert "n0 -- n1 [style=dashed];" in render_dot(_graph("x"))
    assert 'n0 ---|"x"| n1' in render_mermaid(_graph("x"))
    assert "n0 -.- n1" in render_mermaid(_graph("x"))


def test_a_picture_in_ascii_is_the_same_picture() -> None:
    assert coded_in_ascii("a … b") == "a &#8230; b"
    assert coded_in_ascii("a … b", is_mermaid=True) == "a #8230; b"
