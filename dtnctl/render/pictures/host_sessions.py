"""The lower part of a host's picture: what each session holds, and what the signs mean."""

from __future__ import annotations

from collections.abc import Mapping

from dtnctl.model.host_map import HeldHere, HostMap
from dtnctl.printable import plural
from dtnctl.render.pictures.blocks import Block, stacked
from dtnctl.render.pictures.host_words import functions_text
from dtnctl.render.pictures.keys import Key
from dtnctl.render.pictures.svg import box, dot, fitted, group, text, width_of

ROW, MOST = 22, 24
COLUMNS = (("", 36), ("session", 190), ("state", 90), ("CPUs", 170), ("virtual functions", 210), ("networks", 160), ("folders", 188))
GOOD = ("running",)
BAD = ("exited", "dead", "restarting", "unknown", "absent")


def sessions_block(host: HostMap, keys: Mapping[str, Key], width: float) -> Block:
    """A table of the sessions; those that have no room are counted."""
    if not host.sessions:
        return stacked([_line("no session has anything here", width), *([_signs(width)] if host.nodes else [])], 8)
    rows = [_heads(width), *(_row(item, keys[item.session], width) for item in host.sessions[:MOST])]
    more = len(host.sessions) - MOST
    rows += [_line(f"and {plural(more, 'further session')}", width)] * (more > 0)
    return stacked([stacked(rows), *([_signs(width)] if host.nodes else [])], 12)


def _line(words: str, width: float) -> Block:
    return Block(width, ROW, text(0, 15, words, "quiet"))


def _heads(width: float) -> Block:
    x, parts = 0, []
    for name, room in COLUMNS:
        parts.append(text(x, 13, name, "small quiet"))
        x += room
    return Block(width, ROW, "".join(parts))


def _row(held: HeldHere, key: Key, width: float) -> Block:
    values = ("", held.session, held.state, held.cpus, functions_text(held.functions), ", ".join(held.networks), ", ".join(held.folders))
    style = "good" if held.state in GOOD else "bad" if held.state in BAD else ""
    parts = [group([box(0, 3, 24, 16, f"fill{key.colour}", radius=3), text(12, 15, key.letters, "key", anchor="middle")])]
    x = 0
    for (name, room), value in zip(COLUMNS, values, strict=True):
        if value:
            parts.append(text(x, 15, fitted(value, room - 10), style if name == "state" else "number"))
        x += room
    return Block(width, ROW, "".join(parts))


def _signs(width: float) -> Block:
    """What a cell's look means, where it has no letters."""
    parts: list[str] = []
    x = 0.0
    for style, words in (("free", "free"), ("reserved", "reserved for the host"), ("other", "held by others"), ("", "serves interrupts")):
        parts.append(box(x + 0.5, 3.5, 24, 15, style, radius=3) if style else dot(x + 18, 11, 3, "interrupts"))
        parts.append(text(x + 32, 15, words, "small quiet"))
        x += 32 + width_of(words, 11) + 16
    return Block(width, ROW, "".join(parts))
