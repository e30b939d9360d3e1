"""What `ls` shows: numbered lines, folders with a slash, fields with their values; or one JSON document. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dtnctl.cli.shell.tree import Entry, Field, Node, Parts, path_text
from dtnctl.render.context import RenderContext
from dtnctl.render.json import document_of
from dtnctl.render.text import Style, look_of, printable_text

STATES = {"STARTED": "create", "STOPPED": "dim", "MIXED": "note", "UNKNOWN": "destroy", "ABSENT": "dim"}


def listing_text(node: Node, context: RenderContext) -> str:
    """A line for each entry; of a field its value."""
    look = look_of(context)
    return "".join(f"{line}\n" for line in _lines(node, look, ascii_only=context.ascii))


def _lines(node: Node, look: Style, *, ascii_only: bool) -> Iterator[str]:
    if isinstance(node, Field):
        yield printable_text(node.value, ascii_only=ascii_only)
        return
    for entry in node.entries:
        yield _line(entry, look, ascii_only)


def _line(entry: Entry, look: Style, ascii_only: bool) -> str:
    if entry.line:
        return _numbered(printable_text(entry.line, ascii_only=ascii_only), look)
    name = printable_text(entry.name, ascii_only=ascii_only)
    if not isinstance(entry.node, Field):
        return look.paint("bold", f"{name}/")
    value = printable_text(entry.node.value, ascii_only=ascii_only)
    return f"{look.paint('dim', f'{name}:')} {value}" if value else look.paint("dim", name)


def _numbered(line: str, look: Style) -> str:
    """With the state in its colour; the word says the same."""
    for state, role in STATES.items():
        if f": {state} " in line:
            return line.replace(state, look.paint(role, state), 1)  # type: ignore[arg-type]  # roles by name
    return line


def listing_document(parts: Parts, node: Node) -> dict[str, Any]:
    """The same for programs."""
    if isinstance(node, Field):
        return document_of("listing", {"path": path_text(parts), "type": "field", "value": node.value, "entries": []})
    return document_of(
        "listing", {"path": path_text(parts), "type": "folder", "value": "", "entries": [_entry(entry) for entry in node.entries]}
    )


def _entry(entry: Entry) -> dict[str, Any]:
    is_field = isinstance(entry.node, Field)
    return {
        "name": entry.name,
        "number": entry.number or None,
        "type": "field" if is_field else "folder",
        "value": entry.node.value if isinstance(entry.node, Field) else "",
        "text": entry.line,
    }
