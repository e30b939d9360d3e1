"""Networks and profiles as their files say: a table, and one in full."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dtnctl.model.report import DeclaredRow
from dtnctl.render.columns import Column
from dtnctl.render.context import RenderContext
from dtnctl.render.tables import fields_text, listing_text
from dtnctl.render.text import printable_text

COLUMNS = {
    "networks": ("driver", "vlan", "mtu", "subnet", "addresses", "subnet6"),
    "profiles": ("extends", "image", "user", "mgmt_net", "data_nets"),
}


def render_declared(kind: str, rows: Sequence[DeclaredRow], context: RenderContext) -> str:
    """One line for each; a field that is not written is empty."""
    fields = COLUMNS[kind]
    columns = [Column(kind[:-1].upper(), least=12), *(Column(name.upper(), least=8, drop=drop) for drop, name in enumerate(fields))]
    columns.append(Column("FILE", least=16, drop=len(fields)))
    cells = [[row.name, *(_text(row.fields.get(name), context) for name in fields), row.file] for row in rows]
    return listing_text(columns, cells, kind, context)


def render_one(kind: str, row: DeclaredRow, context: RenderContext) -> str:
    """Everything that its file says, as `field: value`."""
    return fields_text(
        [(kind, row.name), ("file", row.file), *((name, _text(value, context)) for name, value in row.fields.items())], context
    )


def _text(value: Any, context: RenderContext) -> str:
    """A scalar as it is, a list with commas, a range with its dash; everything else as YAML's flow form, which JSON is."""
    return printable_text(_plain(value), ascii_only=context.ascii)


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case {"name": str(name)} if len(value) == 1:
            return name
        case [int(first), int(last)] if not isinstance(first, bool):
            return f"{first}-{last}"
        case [*items] if items and all(_is_short(item) for item in items):
            return ", ".join(_plain(item) if not isinstance(item, list) else "-".join(map(str, item)) for item in items)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _is_short(item: Any) -> bool:
    return isinstance(item, str) or (isinstance(item, dict) and set(item) == {"name"}) or (isinstance(item, list) and len(item) == 2)
